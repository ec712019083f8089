/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OwnedArray<T>: the one owner of an array whose length is known when it is made.
 */
#pragma once

#include <new>
#include <type_traits>

#include "kcxx/check.h"
#include "kcxx/result.h"
#include "kcxx/utility.h"
#include "kernel/memory.h"

namespace kcxx {

template <typename T> class OwnedArray {
	static_assert(std::is_trivially_destructible_v<T>);

public:
	/* @size default-constructed items, charged to the caller's memory cgroup. May sleep.
	 * -ENOMEM. */
	static Result<OwnedArray> create(unsigned long size)
	{
		T *items = static_cast<T *>(glue_alloc_array(size, sizeof(T)));

		if (!items)
			return Errno::NoMemory;
		for (unsigned long i = 0; i < size; ++i)
			new (&items[i]) T();
		return OwnedArray(items, size);
	}

	/* Of no items. */
	constexpr OwnedArray() = default;
	OwnedArray(OwnedArray &&other) noexcept
		: m_items(exchange(other.m_items, nullptr)), m_size(exchange(other.m_size, 0))
	{
	}
	OwnedArray &operator=(OwnedArray &&other) noexcept
	{
		OwnedArray old(move(other));

		swap(m_items, old.m_items);
		swap(m_size, old.m_size);
		return *this;
	}
	~OwnedArray() { glue_free_array(m_items); }

	unsigned long size() const { return m_size; }
	T &operator[](unsigned long index) const
	{
		KCXX_CHECK(index < m_size);
		return m_items[index];
	}

private:
	OwnedArray(T *items, unsigned long size) : m_items(items), m_size(size) {}

	T *m_items = nullptr;
	unsigned long m_size = 0;
};

} /* namespace kcxx */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Vector<T>: a growable array. Growing is a step of its own that can fail; inserting into
 * reserved room cannot.
 */
#pragma once

#include <new>

#include "kcxx/check.h"
#include "kcxx/result.h"
#include "kcxx/utility.h"
#include "kernel/memory.h"

namespace kcxx {

template <typename T> class Vector {
public:
	constexpr Vector() = default;
	Vector(Vector &&other) noexcept { take_from(other); }
	Vector &operator=(Vector &&other) noexcept
	{
		destroy();
		take_from(other);
		return *this;
	}
	~Vector() { destroy(); }

	unsigned long size() const { return m_size; }
	T &operator[](unsigned long index) const
	{
		KCXX_CHECK(index < m_size);
		return m_items[index];
	}

	/* Makes sure that one more insert() has room. May sleep. -ENOMEM, nothing changed. */
	Result<void> reserve_one()
	{
		if (m_size < m_capacity)
			return {};

		unsigned long capacity = m_capacity ? 2 * m_capacity : 8;
		T *items = static_cast<T *>(glue_alloc_array(capacity, sizeof(T)));

		if (!items)
			return Errno::NoMemory;
		for (unsigned long i = 0; i < m_size; ++i)
			relocate(&items[i], m_items[i]);
		glue_free_array(m_items);
		m_items = items;
		m_capacity = capacity;
		return {};
	}

	/* Puts @item before @index; room was reserved. */
	void insert(unsigned long index, T item)
	{
		KCXX_CHECK(index <= m_size && m_size < m_capacity);
		for (unsigned long i = m_size; i > index; --i)
			relocate(&m_items[i], m_items[i - 1]);
		new (&m_items[index]) T(move(item));
		++m_size;
	}

	/* Removes and returns the item at @index. */
	T take(unsigned long index)
	{
		T item = move((*this)[index]);

		m_items[index].~T();
		--m_size;
		for (unsigned long i = index; i < m_size; ++i)
			relocate(&m_items[i], m_items[i + 1]);
		return item;
	}

private:
	static void relocate(T *to, T &from)
	{
		new (to) T(move(from));
		from.~T();
	}

	void take_from(Vector &other)
	{
		m_items = exchange(other.m_items, nullptr);
		m_size = exchange(other.m_size, 0);
		m_capacity = exchange(other.m_capacity, 0);
	}

	void destroy()
	{
		for (unsigned long i = 0; i < m_size; ++i)
			m_items[i].~T();
		glue_free_array(m_items);
	}

	T *m_items = nullptr;
	unsigned long m_size = 0;
	unsigned long m_capacity = 0;
};

} /* namespace kcxx */

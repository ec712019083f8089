/* SPDX-License-Identifier: GPL-2.0-only */
/* Owned<T>: the one owner of a heap object; make_owned() allocates and makes one. */
#pragma once

#include <new>

#include "kcxx/check.h"
#include "kcxx/result.h"
#include "kcxx/utility.h"
#include "kernel/memory.h"

namespace kcxx {

template <typename T> class Owned {
public:
	constexpr Owned() = default;
	/* Takes over @object, which came from make_owned() and was given up by release(). */
	explicit Owned(T *object) : m_object(object) {}
	Owned(Owned &&other) noexcept : m_object(other.release()) {}
	Owned &operator=(Owned &&other) noexcept
	{
		Owned old(move(other));

		swap(m_object, old.m_object);
		return *this;
	}
	~Owned()
	{
		if (!m_object)
			return;
		m_object->~T();
		glue_free(m_object);
	}

	explicit operator bool() const { return m_object; }
	T *operator->() const { return &**this; }
	T &operator*() const
	{
		KCXX_CHECK(m_object);
		return *m_object;
	}
	T *get() const { return m_object; }

	/* Gives the object up without destroying it. */
	T *release() { return exchange(m_object, nullptr); }

private:
	T *m_object = nullptr;
};

/* A new T in kernel memory charged to the caller's memory cgroup. May sleep. -ENOMEM. */
template <typename T, typename... Args> Result<Owned<T>> make_owned(Args &&...args)
{
	void *memory = glue_alloc(sizeof(T));

	if (!memory)
		return Errno::NoMemory;
	return Owned<T>(new (memory) T(forward<Args>(args)...));
}

} /* namespace kcxx */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Published<T>: a pointer that is set once, by whoever is first, and read by anyone without a lock.
 */
#pragma once

#include "kcxx/memory_order.h"

namespace kcxx {

/*
 * What is read after this is not older than what was read before it: whoever has seen the second of
 * two pointers that were published one after the other sees the first. Pairs with the release of
 * Published::set() and AtomicBigEndian::publish().
 */
inline void read_barrier()
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

template <typename T> class Published {
public:
	constexpr Published() = default;
	Published(const Published &) = delete;
	Published &operator=(const Published &) = delete;

	/*
	 * nullptr until it is set. The object is as it was when it was published (pairs with
	 * set()): what is read through the pointer depends on it.
	 */
	T *get() const { return __atomic_load_n(&m_object, dependency_order); }

	/*
	 * Publishes @object, with all that was written to it (pairs with get()), if nothing is yet;
	 * returns what is published now, with all that was written to that.
	 */
	T *set(T *object)
	{
		T *first = nullptr;

		__atomic_compare_exchange_n(&m_object, &first, object, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE);
		return first ? first : object;
	}

	/* Takes the object back, when nobody can read it any more. */
	T *take()
	{
		T *object = m_object;

		m_object = nullptr;
		return object;
	}

private:
	T *m_object = nullptr;
};

} /* namespace kcxx */

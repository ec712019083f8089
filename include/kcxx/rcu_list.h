/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RcuList<T>: a list that is read without a lock, while one writer at a time changes it. T is
 * derived from RcuList<T>::Links.
 *
 * A reader is an RCU reader, or keeps the writers away. An object that was removed can be read
 * until the readers of that moment are done.
 */
#pragma once

#include "kcxx/memory_order.h"

namespace kcxx {

template <typename T> class RcuList {
public:
	class Links {
		friend class RcuList;
		T *m_next = nullptr;
	};

	constexpr RcuList() = default;
	RcuList(const RcuList &) = delete;
	RcuList &operator=(const RcuList &) = delete;

	/* Calls @visit(object) for each. */
	template <typename Visit> void for_each(Visit visit) const
	{
		for (const T *object = read(m_first); object; object = read(object->m_next))
			visit(*object);
	}

	/* The first that @matches(object), or nullptr. For the writer. */
	template <typename Matches> T *find(Matches matches) const
	{
		T *object = m_first;

		while (object && !matches(*object))
			object = object->m_next;
		return object;
	}

	void add(T &object)
	{
		object.m_next = m_first;
		publish(m_first, &object);
	}

	/* @object is on the list. */
	void remove(T &object)
	{
		T **link = &m_first;

		while (*link != &object)
			link = &(*link)->m_next;
		publish(*link, object.m_next);
	}

private:
	static const T *read(T *const &link) { return __atomic_load_n(&link, dependency_order); }
	/* After the object was written (pairs with read()). */
	static void publish(T *&link, T *object)
	{
		__atomic_store_n(&link, object, __ATOMIC_RELEASE);
	}

	T *m_first = nullptr;
};

} /* namespace kcxx */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * List<T>: a doubly linked list of objects that contain their own links (T derives from
 * ListLinks<T>), so that putting one on a list cannot fail. The list does not own its members.
 */
#pragma once

namespace kcxx {

template <typename T> class List;

template <typename T> class ListLinks {
public:
	ListLinks() = default;
	ListLinks(const ListLinks &) = delete;
	ListLinks &operator=(const ListLinks &) = delete;

private:
	friend class List<T>;

	T *m_next = nullptr;
	T *m_previous = nullptr;
};

template <typename T> class List {
public:
	constexpr List() = default;
	List(const List &) = delete;
	List &operator=(const List &) = delete;

	class Iterator {
	public:
		explicit Iterator(T *at) : m_at(at), m_next(next_of(at)) {}
		T &operator*() const { return *m_at; }
		/* The successor was read beforehand: the body may remove the current member. */
		Iterator &operator++()
		{
			m_at = m_next;
			m_next = next_of(m_at);
			return *this;
		}
		bool operator!=(const Iterator &other) const { return m_at != other.m_at; }

	private:
		static T *next_of(T *at) { return at ? links(*at).m_next : nullptr; }

		T *m_at;
		T *m_next;
	};

	Iterator begin() const { return Iterator(m_first); }
	Iterator end() const { return Iterator(nullptr); }
	bool is_empty() const { return !m_first; }
	T *first() const { return m_first; }

	void append(T &member)
	{
		links(member).m_previous = m_last;
		links(member).m_next = nullptr;
		(m_last ? links(*m_last).m_next : m_first) = &member;
		m_last = &member;
	}

	void remove(T &member)
	{
		T *next = links(member).m_next;
		T *previous = links(member).m_previous;

		(previous ? links(*previous).m_next : m_first) = next;
		(next ? links(*next).m_previous : m_last) = previous;
	}

private:
	static ListLinks<T> &links(T &member) { return member; }

	T *m_first = nullptr;
	T *m_last = nullptr;
};

} /* namespace kcxx */

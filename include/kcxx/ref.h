/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ref<T>: one counted reference on an object whose counter is the kernel's own.
 *
 * RefTraits<T> says how a reference is taken and given back:
 *	static void get(T *object);	the caller already has a reference
 *	static void put(T *object);	may destroy the object
 */
#pragma once

#include "kcxx/check.h"
#include "kcxx/utility.h"

namespace kcxx {

template <typename T> struct RefTraits;

template <typename T> class Ref {
public:
	constexpr Ref() = default;
	Ref(Ref &&other) noexcept : m_object(exchange(other.m_object, nullptr)) {}
	Ref &operator=(Ref &&other) noexcept
	{
		Ref old(move(other));

		swap(m_object, old.m_object);
		return *this;
	}
	Ref(const Ref &) = delete;
	Ref &operator=(const Ref &) = delete;
	~Ref()
	{
		if (m_object)
			RefTraits<T>::put(m_object);
	}

	/* A further reference on an object that the caller holds. */
	static Ref share(T *object)
	{
		KCXX_CHECK(object);
		RefTraits<T>::get(object);
		return adopt(object);
	}

	/* The caller's own reference passes to the handle. */
	static Ref adopt(T *object)
	{
		Ref ref;

		ref.m_object = object;
		return ref;
	}

	explicit operator bool() const { return m_object; }
	T *operator->() const
	{
		KCXX_CHECK(m_object);
		return m_object;
	}
	T *get() const { return m_object; }

private:
	T *m_object = nullptr;
};

} /* namespace kcxx */

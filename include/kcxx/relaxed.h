/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Relaxed<T>: a number or flag that is read while others write it. It says nothing about any other
 * memory: what is read or written beside it is in no order with it, and nothing pairs with it.
 */
#pragma once

namespace kcxx {

template <typename T> class Relaxed {
public:
	constexpr explicit Relaxed(T value) : m_value(value) {}
	Relaxed(const Relaxed &) = delete;
	Relaxed &operator=(const Relaxed &) = delete;

	T load() const { return __atomic_load_n(&m_value, __ATOMIC_RELAXED); }
	void store(T value) { __atomic_store_n(&m_value, value, __ATOMIC_RELAXED); }

private:
	T m_value;
};

} /* namespace kcxx */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * move, swap and forward: <utility> is not among the freestanding headers of GCC 12.
 */
#pragma once

#include <type_traits>

namespace kcxx {

template <typename T> constexpr std::remove_reference_t<T> &&move(T &&value) noexcept
{
	return static_cast<std::remove_reference_t<T> &&>(value);
}

template <typename T> constexpr T &&forward(std::remove_reference_t<T> &value) noexcept
{
	return static_cast<T &&>(value);
}

template <typename T> constexpr void swap(T &a, T &b) noexcept
{
	T old_a = move(a);

	a = move(b);
	b = move(old_a);
}

/* What an object held, leaving @replacement behind. */
template <typename T> constexpr T exchange(T &object, std::type_identity_t<T> replacement) noexcept
{
	T old = move(object);

	object = move(replacement);
	return old;
}

} /* namespace kcxx */

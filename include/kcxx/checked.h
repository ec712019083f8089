/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic on numbers that a user chose: overflow is -EINVAL.
 */
#pragma once

#include "kcxx/result.h"

namespace kcxx {

template <typename T> constexpr Result<T> checked_add(T a, std::type_identity_t<T> b)
{
	T sum;

	if (__builtin_add_overflow(a, b, &sum))
		return Errno::Invalid;
	return sum;
}

constexpr bool is_power_of_two(unsigned long value)
{
	return value && !(value & (value - 1));
}

/*
 * 1 << @exponent, and @value multiplied or divided by that. @exponent is below 64. The compiler is
 * told so: it adds no check, as it does to other shifts where the kernel has UBSAN.
 */
constexpr unsigned long power_of_two(unsigned int exponent)
{
	if (exponent >= 64)
		__builtin_unreachable();
	return 1UL << exponent;
}

constexpr unsigned long multiplied(unsigned long value, unsigned int exponent)
{
	if (exponent >= 64)
		__builtin_unreachable();
	return value << exponent;
}

constexpr unsigned long divided(unsigned long value, unsigned int exponent)
{
	if (exponent >= 64)
		__builtin_unreachable();
	return value >> exponent;
}

/* The exponent of the largest power of two not above @value, which is not 0. */
constexpr unsigned int log2_floor(unsigned long value)
{
	return static_cast<unsigned int>(__builtin_clzl(1) - __builtin_clzl(value));
}

constexpr unsigned long divide_round_up(unsigned long value, unsigned long divisor)
{
	return value / divisor + (value % divisor != 0);
}

} /* namespace kcxx */

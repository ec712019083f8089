/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strong units: numbers of different kinds that do not convert into each other.
 *
 * A Count<Tag> is an amount (bytes, pages): amounts add up. A Position<Tag, Step> is a place
 * (an address, an index) that an amount of type Step moves and that two of which differ by.
 */
#pragma once

#include <compare>

#include "kcxx/checked.h"
#include "kcxx/result.h"

namespace kcxx {

template <typename Tag> class Count {
public:
	constexpr Count() = default;
	constexpr explicit Count(unsigned long value) : m_value(value) {}

	constexpr unsigned long value() const { return m_value; }
	constexpr auto operator<=>(const Count &) const = default;
	constexpr Count operator+(Count other) const { return Count(m_value + other.m_value); }
	constexpr Count operator-(Count other) const { return Count(m_value - other.m_value); }
	constexpr Count &operator+=(Count other) { return *this = *this + other; }

private:
	unsigned long m_value = 0;
};

template <typename Tag, typename Step> class Position {
public:
	constexpr Position() = default;
	constexpr explicit Position(unsigned long value) : m_value(value) {}

	constexpr unsigned long value() const { return m_value; }
	constexpr auto operator<=>(const Position &) const = default;
	constexpr Position operator+(Step step) const { return Position(m_value + step.value()); }
	constexpr Step operator-(Position from) const { return Step(m_value - from.m_value); }
	constexpr Position &operator+=(Step step) { return *this = *this + step; }

	/* This place moved by @step, or -EINVAL where that overflows. */
	Result<Position> checked_add(Step step) const
	{
		return Position(TRY(kcxx::checked_add(m_value, step.value())));
	}

private:
	unsigned long m_value = 0;
};

} /* namespace kcxx */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Result<T>: a value or an error; TRY: the value, or return the error.
 *
 * An error holds a positive errno and cannot hold 0, so "failed with success" cannot be
 * written. It becomes a negative errno again in one place only: kcxx::to_errno(), which the
 * extern "C" entry points use.
 */
#pragma once

#include <new>
#include <type_traits>

#include "kcxx/check.h"
#include "kcxx/utility.h"

namespace kcxx {

/* The errnos this driver itself returns; values as in include/uapi/asm-generic/errno*.h. */
enum class Errno : int {
	NotPermitted = 1,    /* EPERM */
	NoEntry = 2,	     /* ENOENT */
	Io = 5,		     /* EIO */
	NoDeviceAddress = 6, /* ENXIO */
	NoMemory = 12,	     /* ENOMEM */
	Fault = 14,	     /* EFAULT */
	Busy = 16,	     /* EBUSY */
	Exists = 17,	     /* EEXIST */
	NoDevice = 19,	     /* ENODEV */
	Invalid = 22,	     /* EINVAL */
	NotTty = 25,	     /* ENOTTY: no such ioctl here */
	NoSpace = 28,	     /* ENOSPC */
	Overflow = 75,	     /* EOVERFLOW */
};

class [[nodiscard]] Error {
public:
	constexpr Error(Errno code) : m_errno(static_cast<int>(code)) {}

	/* From a kernel function's negative return; anything else says that the callee failed. */
	static constexpr Error from_kernel(long rc)
	{
		return Error(rc < 0 && rc >= -max_errno ? static_cast<Errno>(-rc) : Errno::Io);
	}

	constexpr long as_kernel() const { return -m_errno; }
	constexpr bool operator==(const Error &) const = default;

private:
	template <typename T> friend class Result;

	static constexpr long max_errno = 4095;
	int m_errno;
};

template <typename T> class [[nodiscard]] Result {
public:
	Result(Error error) : m_error(error), m_has_value(false) {}
	Result(Errno code) : Result(Error(code)) {}
	Result(T value) : m_value(move(value)), m_has_value(true) {}
	Result(Result &&other) : m_has_value(other.m_has_value)
	{
		if (m_has_value)
			new (&m_value) T(move(other.m_value));
		else
			m_error = other.m_error;
	}
	Result(const Result &) = delete;
	Result &operator=(const Result &) = delete;
	~Result()
	{
		if (m_has_value)
			m_value.~T();
	}

	bool is_error() const { return !m_has_value; }
	Error error() const
	{
		KCXX_CHECK(is_error());
		return m_error;
	}
	T &value()
	{
		KCXX_CHECK(!is_error());
		return m_value;
	}
	T release_value() { return move(value()); }

private:
	union {
		Error m_error;
		T m_value;
	};
	bool m_has_value;
};

/* Of a value that is copied as bytes are: so is the Result, and goes in registers if it is small.
 */
template <typename T>
requires std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>
class [[nodiscard]] Result<T> {
public:
	constexpr Result(Error error) : m_value(), m_errno(error.m_errno) {}
	constexpr Result(Errno code) : Result(Error(code)) {}
	constexpr Result(T value) : m_value(value), m_errno(0) {}

	constexpr bool is_error() const { return m_errno; }
	constexpr Error error() const
	{
		KCXX_CHECK(is_error());
		return Error(static_cast<Errno>(m_errno));
	}
	constexpr T &value()
	{
		KCXX_CHECK(!is_error());
		return m_value;
	}
	constexpr T release_value() { return value(); }

private:
	T m_value;
	int m_errno; /* 0: there is a value */
};

template <> class [[nodiscard]] Result<void> {
public:
	constexpr Result() = default;
	constexpr Result(Error error) : m_errno(error.m_errno) {}
	constexpr Result(Errno code) : Result(Error(code)) {}

	/* From a kernel function that returns 0 or a negative errno. */
	static constexpr Result from_kernel(long rc)
	{
		return rc == 0 ? Result() : Result(Error::from_kernel(rc));
	}

	constexpr bool is_error() const { return m_errno; }
	constexpr Error error() const
	{
		KCXX_CHECK(is_error());
		return Error(static_cast<Errno>(m_errno));
	}
	constexpr void release_value() const { KCXX_CHECK(!is_error()); }

private:
	int m_errno = 0; /* 0: success */
};

/* For a result that makes no difference; the comment beside it says why. */
template <typename T> constexpr void ignore(const Result<T> &) {}

/* The one way back to the kernel's convention: 0 or more on success, a negative errno. */
inline long to_errno(const Result<void> &result)
{
	return result.is_error() ? result.error().as_kernel() : 0;
}

/* The same where what is 0 or more tells the user something. */
template <typename T>
requires std::is_integral_v<T>
long to_errno(Result<T> &&result)
{
	return result.is_error() ? result.error().as_kernel() : result.value();
}

} /* namespace kcxx */

/* Evaluates to the value of a Result, or leaves the function with its error. */
#define TRY(expression)                                                                            \
	({                                                                                         \
		auto &&try_result = (expression);                                                  \
		if (try_result.is_error())                                                         \
			return try_result.error();                                                 \
		try_result.release_value();                                                        \
	})

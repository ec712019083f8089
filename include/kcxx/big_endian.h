/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BigEndian: a 64-bit word in big-endian order. What is done with it is the same in either order
 * (bitwise or, comparison) or asks for its value, which costs instructions.
 *
 * AtomicBigEndian: such a word in memory that others (KVM's hypercall handlers, a PHB) read and
 * write at the same time. Reached through atomic accessors only.
 */
#pragma once

#include "kcxx/memory_order.h"

namespace kcxx {

class BigEndian {
public:
	constexpr BigEndian() = default;
	explicit BigEndian(unsigned long value) : m_word(swapped(value)) {}
	/* Of a value that is in memory anyway: one instruction, where a register takes three. */
	static BigEndian of_memory(const unsigned long &value)
	{
		BigEndian result;

		result.m_word = read(&value);
		return result;
	}

	unsigned long value() const { return swapped(m_word); }
	constexpr bool operator==(const BigEndian &) const = default;
	constexpr BigEndian operator|(BigEndian other) const
	{
		other.m_word |= m_word;
		return other;
	}

private:
	friend class AtomicBigEndian;

#if defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	/*
	 * Byte-reversed loads and stores, which are atomic like others. The compiler uses none for
	 * atomics, and swaps a register in nine instructions.
	 */
	static unsigned long read(const unsigned long *word)
	{
		unsigned long value;

		__asm__ volatile("ldbrx %0,%y1" : "=r"(value) : "Z"(*word));
		return value;
	}
	static void write(unsigned long *word, unsigned long value)
	{
		__asm__ volatile("stdbrx %1,%y0" : "=Z"(*word) : "r"(value));
	}
	static unsigned long swapped(unsigned long value)
	{
		unsigned long result;

		__asm__("ldbrx %0,%y1" : "=r"(result) : "Z"(value));
		return result;
	}
#else
	static unsigned long read(const unsigned long *word)
	{
		return swapped(__atomic_load_n(word, dependency_order));
	}
	static void write(unsigned long *word, unsigned long value)
	{
		__atomic_store_n(word, swapped(value), __ATOMIC_RELAXED);
	}
	static unsigned long swapped(unsigned long value)
	{
		return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(value) : value;
	}
#endif

	unsigned long m_word = 0;
};

class AtomicBigEndian {
public:
	AtomicBigEndian() = default;
	AtomicBigEndian(const AtomicBigEndian &) = delete;
	AtomicBigEndian &operator=(const AtomicBigEndian &) = delete;

	/* In no order with other memory: as an entry is read and written under a lock. */
	unsigned long load() const { return BigEndian::read(&m_word); }
	/*
	 * Of a word that points to something, which was written before that was published (pairs
	 * with publish()): what is read through it depends on it, and so needs no barrier.
	 */
	unsigned long load_pointer() const { return load(); }
	bool is_zero() const { return !__atomic_load_n(&m_word, __ATOMIC_RELAXED); }
	void store(unsigned long value) { BigEndian::write(&m_word, value); }
	void store_word(BigEndian word)
	{
		__atomic_store_n(&m_word, word.m_word, __ATOMIC_RELAXED);
	}
	/*
	 * Puts @word in place of @expected; returns what was there, which may be something else.
	 * What was written before is seen by who reads @word by load_pointer() or replaces it (that
	 * is the release), and what was written before the old word is seen here (the acquire).
	 */
	unsigned long replace(unsigned long expected, unsigned long word)
	{
		unsigned long old = BigEndian::swapped(expected);

		__atomic_compare_exchange_n(&m_word, &old, BigEndian::swapped(word), false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
		return BigEndian::swapped(old);
	}
	/*
	 * Puts @value in place of 0 and returns 0, or returns what someone else has put there.
	 * Pairs with load_pointer().
	 */
	unsigned long publish(unsigned long value) { return replace(0, value); }

private:
	unsigned long m_word;
};

static_assert(sizeof(AtomicBigEndian) == 8);

} /* namespace kcxx */

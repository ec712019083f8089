/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AtomicBigEndian: a big-endian 64-bit word in memory that others (KVM's hypercall handlers, a
 * PHB) read and write at the same time. Reached through atomic accessors only, in native order.
 */
#pragma once

namespace kcxx {

class AtomicBigEndian {
public:
	AtomicBigEndian() = default;
	AtomicBigEndian(const AtomicBigEndian &) = delete;
	AtomicBigEndian &operator=(const AtomicBigEndian &) = delete;

	unsigned long load() const { return read(&m_word); }
	/* What the word points to was written before it was published. */
	unsigned long load_acquire() const
	{
		return swapped(__atomic_load_n(&m_word, __ATOMIC_ACQUIRE));
	}
	void store(unsigned long value) { write(&m_word, value); }
	/* Puts @value and returns what was there. Orders what is before and after it. */
	unsigned long exchange(unsigned long value)
	{
		return swapped(__atomic_exchange_n(&m_word, swapped(value), __ATOMIC_ACQ_REL));
	}
	/* Puts @value in place of 0 and returns 0, or returns what someone else has put there. */
	unsigned long publish(unsigned long value) { return replace(0, value); }
	/* Puts @value in place of @expected; returns what was there, which may be something else.
	 */
	unsigned long replace(unsigned long expected, unsigned long value)
	{
		unsigned long old = swapped(expected);

		__atomic_compare_exchange_n(&m_word, &old, swapped(value), false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE);
		return swapped(old);
	}

private:
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
		return swapped(__atomic_load_n(word, __ATOMIC_RELAXED));
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

	unsigned long m_word;
};

static_assert(sizeof(AtomicBigEndian) == 8);

} /* namespace kcxx */

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

	unsigned long load() const { return swapped(__atomic_load_n(&m_word, __ATOMIC_RELAXED)); }
	/* What the word points to was written before it was published. */
	unsigned long load_acquire() const
	{
		return swapped(__atomic_load_n(&m_word, __ATOMIC_ACQUIRE));
	}
	void store(unsigned long value)
	{
		__atomic_store_n(&m_word, swapped(value), __ATOMIC_RELAXED);
	}
	/* Puts @value and returns what was there. Orders what is before and after it. */
	unsigned long exchange(unsigned long value)
	{
		return swapped(__atomic_exchange_n(&m_word, swapped(value), __ATOMIC_ACQ_REL));
	}
	/* Puts @value in place of 0, or returns what someone else has put there. */
	unsigned long publish(unsigned long value)
	{
		unsigned long expected = 0;

		__atomic_compare_exchange_n(&m_word, &expected, swapped(value), false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
		return swapped(expected);
	}

private:
	static constexpr unsigned long swapped(unsigned long value)
	{
		return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(value) : value;
	}

	unsigned long m_word;
};

static_assert(sizeof(AtomicBigEndian) == 8);

} /* namespace kcxx */

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
	void store(unsigned long value)
	{
		__atomic_store_n(&m_word, swapped(value), __ATOMIC_RELAXED);
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

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LevelShape: how a number of entries is spread over the levels of a table. All levels have blocks
 * of the same size, of at least a kernel page.
 *
 * Source: IODA2 specification, "Multi-level TCE tables"; arch/powerpc/platforms/powernv.
 */
#pragma once

#include "arch/powerpc/tce/tce_format.h"

namespace tce {

class LevelShape {
public:
	/* The least block: a kernel page of entries (log2). */
	static constexpr unsigned int least_shift = KERNEL_PAGE_SHIFT - tce_size_shift;

	/* Of the TCEs of a window; @shape is valid for the group. */
	static constexpr LevelShape of_window(const WindowShape &shape)
	{
		return LevelShape(kcxx::log2_floor(shape.size.value()) - shape.page_shift,
				  shape.levels);
	}

	/* As many levels of least blocks as 1 << @entries_shift entries need. */
	static constexpr LevelShape of_least_blocks(unsigned int entries_shift)
	{
		unsigned long levels = kcxx::divide_round_up(entries_shift, least_shift);

		return LevelShape(entries_shift, levels ? static_cast<unsigned int>(levels) : 1);
	}

	constexpr unsigned int levels() const { return m_levels; }
	constexpr unsigned int entries_shift() const { return m_entries_shift; }
	/* Entries of a block (log2). */
	constexpr unsigned int shift() const { return m_shift; }

	/* A block is one allocation of the page allocator. */
	constexpr bool is_allocatable() const
	{
		return m_shift + tce_size_shift <= KERNEL_PAGE_SHIFT + KERNEL_MAX_PAGE_ORDER;
	}

	/* A PHB can address what the levels cover, with pages of size @page. */
	constexpr bool is_addressable(PageShift page) const
	{
		return m_shift * m_levels + page.value() < max_address_bits;
	}

	/* What all blocks of all levels take together. */
	constexpr Bytes total_size() const
	{
		Bytes total;

		for (unsigned int level = 1; level <= m_levels; ++level) {
			unsigned int covered = level * m_shift;
			unsigned long blocks =
				covered >= m_entries_shift
					? 1
					: kcxx::power_of_two(m_entries_shift - covered);

			total += Bytes(kcxx::multiplied(blocks, m_shift + tce_size_shift));
		}
		return total;
	}

private:
	constexpr LevelShape(unsigned int entries_shift, unsigned int levels)
		: m_levels(levels), m_entries_shift(entries_shift)
	{
		unsigned int per_level =
			static_cast<unsigned int>(kcxx::divide_round_up(entries_shift, levels));

		m_shift = per_level > least_shift ? per_level : least_shift;
	}

	static constexpr unsigned int max_address_bits = 55;

	unsigned int m_levels;
	unsigned int m_entries_shift;
	unsigned int m_shift = 0;
};

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LevelShape: how the entries of a window are spread over the levels of a table. All levels have
 * blocks of the same size, of at least a kernel page.
 *
 * Source: IODA2 specification, "Multi-level TCE tables"; arch/powerpc/platforms/powernv.
 */
#pragma once

#include "arch/powerpc/kernel/table_platform.h"
#include "arch/powerpc/kernel/tce_format.h"

namespace tce {

class LevelShape {
public:
	/* @shape is valid for the group: a power of two, not below a page, at least one level. */
	explicit constexpr LevelShape(const WindowShape &shape)
		: m_levels(shape.levels),
		  m_entries_shift(kcxx::log2_floor(shape.size.value()) - shape.page_shift)
	{
		constexpr unsigned int least = KERNEL_PAGE_SHIFT - tce_size_shift;
		unsigned int per_level =
			static_cast<unsigned int>(kcxx::divide_round_up(m_entries_shift, m_levels));

		m_shift = per_level > least ? per_level : least;
	}

	unsigned int levels() const { return m_levels; }
	/* Entries of a block (log2). */
	unsigned int shift() const { return m_shift; }
	Bytes block_size() const { return Bytes(1UL << (m_shift + tce_size_shift)); }
	Entries entries() const { return Entries(1UL << m_entries_shift); }

	/* A block is one allocation of the page allocator. */
	bool is_allocatable() const
	{
		return m_shift + tce_size_shift <= KERNEL_PAGE_SHIFT + KERNEL_MAX_PAGE_ORDER;
	}

	/* What all blocks of all levels take together. */
	Bytes total_size() const
	{
		Bytes total;

		for (unsigned int level = 1; level <= m_levels; ++level) {
			unsigned int covered = level * m_shift;
			unsigned long blocks =
				covered >= m_entries_shift ? 1 : 1UL << (m_entries_shift - covered);

			total += Bytes(blocks << (m_shift + tce_size_shift));
		}
		return total;
	}

private:
	unsigned int m_levels;
	unsigned int m_entries_shift;
	unsigned int m_shift;
};

} /* namespace tce */

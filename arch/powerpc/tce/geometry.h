/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Geometry: which entries a TCE table has, and how they are spread over blocks of memory.
 *
 * Source: arch/powerpc/include/asm/iommu.h, struct iommu_table.
 */
#pragma once

#include "arch/powerpc/glue/iommu.h"
#include "arch/powerpc/tce/tce_types.h"

namespace tce {

/* Constant while the table lives. */
class Geometry {
public:
	static Geometry of(iommu_table *table);
	constexpr explicit Geometry(const glue_table_geometry &kernel) : m_kernel(kernel) {}

	constexpr PageShift page() const
	{
		return PageShift(static_cast<unsigned int>(m_kernel.page_shift));
	}
	constexpr Ioba start() const { return page().address(TceIndex(m_kernel.offset)); }
	constexpr EntryRange entries() const
	{
		return { TceIndex(m_kernel.offset), Entries(m_kernel.size) };
	}
	constexpr bool contains(Ioba address) const
	{
		unsigned long index = page().index(address).value();

		return index >= m_kernel.offset && index - m_kernel.offset < m_kernel.size;
	}
	constexpr Place place(TceIndex index) const
	{
		return Place(index.value() - m_kernel.offset);
	}

	/*
	 * The entries of @size bytes at @start. -EINVAL if these are not whole IOMMU pages, none
	 * at all, or not all inside the table.
	 */
	constexpr Result<EntryRange> range(Ioba start, Bytes size) const
	{
		if (!page().divides(start.value()) || !page().divides(size.value()) ||
		    !size.value())
			return Errno::Invalid;

		/* Compared as entries: the byte just past the last window may be 2^64. */
		TceIndex first = page().index(start);
		Entries count = page().entries(size);

		if (!contains(start) || count > entries().end() - first)
			return Errno::Invalid;
		return EntryRange{ first, count };
	}

	/*
	 * How many entries from @index on lie in the same block of 1 << @shift entries, within
	 * the table. Blocks are counted from the table's first entry.
	 */
	constexpr Entries left_in_block(TceIndex index, unsigned int shift) const
	{
		Entries left_in_table = entries().end() - index;

		/* One block holds all. */
		if (shift >= 64)
			return left_in_table;

		unsigned long block = kcxx::power_of_two(shift);
		Entries left(block - (place(index).value() & (block - 1)));

		return left < left_in_table ? left : left_in_table;
	}

	/* Levels above the lowest one, and how many entries a block of each level has (log2). */
	constexpr unsigned int indirect_levels() const
	{
		return static_cast<unsigned int>(m_kernel.indirect_levels);
	}
	constexpr unsigned int level_shift() const { return m_level_shift; }
	/* The top block, and the NUMA node that the others are allocated on. */
	constexpr void *base() const { return m_kernel.base; }
	constexpr int node() const { return m_kernel.node; }

private:
	glue_table_geometry m_kernel;
	unsigned int m_level_shift =
		kcxx::log2_floor(m_kernel.level_size ? m_kernel.level_size : 1);
};

} /* namespace tce */

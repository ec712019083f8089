/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KernelTable: a table of the kernel's own platform code, reached through its operations. KVM
 * changes its entries at the same time, TCE and view one after the other.
 *
 * Source: arch/powerpc/include/asm/iommu.h, struct iommu_table_ops.
 */
#pragma once

#include "arch/powerpc/tce/geometry.h"
#include "arch/powerpc/tce/leaf.h"
#include "arch/powerpc/tce/tce_format.h"

namespace tce {

class KernelTable {
public:
	KernelTable(iommu_table *table, const Geometry &geometry)
		: m_table(table), m_geometry(geometry)
	{
	}

	/* See Table. */
	[[gnu::noinline]] Leaf find_leaf(TceIndex index) const;
	[[gnu::noinline]] Result<Leaf> reserve_leaf(TceIndex index) const;
	[[gnu::noinline]] Update invalidate(EntryRange range) const;

	/*
	 * Puts @page with @direction into the entry (Direction::None: empties it) and returns what
	 * it held. @page is a multiple of the IOMMU page size. -ENOMEM, nothing changed: a level
	 * of the table could not be allocated; never when the entry is emptied.
	 */
	Result<OldEntry> exchange(TceIndex index, HostPhys page, Direction direction) const;

private:
	AtomicBigEndian *view(TceIndex index, bool allocate) const;
	Entries left_in_leaf(TceIndex index) const;

	iommu_table *m_table;
	const Geometry &m_geometry;
};

} /* namespace tce */

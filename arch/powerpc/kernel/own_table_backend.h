/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OwnTableBackend: how the TCEs of a table of our own get to the devices. One object without state
 * for PowerNV, where PEs read the words themselves, and one for partitions, where the hypervisor is
 * told of each.
 */
#pragma once

#include "arch/powerpc/kernel/table.h"

namespace tce {

class OwnTableBackend {
public:
	/* The permission bits of a TCE. */
	virtual unsigned long permissions(Direction direction) const = 0;

	/*
	 * Puts @tce into the entry @index, whose word is @word. Reach::Nothing: the entry was
	 * emptied instead; Reach::Unknown: it is as before. With the gate's lock held, by which
	 * nobody else changes the entry; does not sleep.
	 */
	virtual Reach put(iommu_table *table, const Geometry &geometry, TceIndex index,
			  AtomicBigEndian &word, unsigned long tce) const = 0;

	/* Makes the PEs forget what they have cached of @range, which is not empty. Any context. */
	virtual void invalidate(iommu_table *table, const Geometry &geometry,
				EntryRange range) const = 0;

protected:
	~OwnTableBackend() = default;
};

} /* namespace tce */

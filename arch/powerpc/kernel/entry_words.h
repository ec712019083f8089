/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two words of an entry of our own tables: the TCE, and the user's address in the view.
 *
 * The blocks of the TCEs are added before those of the view: where there is a word of the view,
 * there is one of the TCE. Any context, no lock.
 */
#pragma once

#include "arch/powerpc/kernel/levels.h"

namespace tce {

struct EntryWords {
	AtomicBigEndian *tce;
	AtomicBigEndian *view;
};

/* The top blocks; nullptr for a view that nothing was mapped in. */
AtomicBigEndian *tce_root(const Geometry &geometry);
AtomicBigEndian *view_root(iommu_table *table);

/* Both words of the entry @index, made if missing. -ENOMEM. */
Result<EntryWords> reserve_entry(iommu_table *table, const Geometry &geometry, TceIndex index,
				 MaySleep may_sleep);

/* Both words, or two nullptr where a block is missing: nothing was mapped there then. */
EntryWords find_entry(iommu_table *table, const Geometry &geometry, TceIndex index);

/* Frees all blocks of a table that nobody uses any more. */
void free_blocks(iommu_table *table);

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two words of an entry of our own tables: the TCE, and the user's address in the view.
 *
 * The blocks of the TCEs are added before those of the view: where there is a word of the view,
 * there is one of the TCE. Any context, no lock.
 */
#pragma once

#include "arch/powerpc/platforms/powernv/levels.h"

namespace tce {

struct EntryWords {
	AtomicBigEndian *tce;
	AtomicBigEndian *view;
};

/* The shape of a table's levels. */
Levels levels_of(iommu_table *table);

/* The top blocks; nullptr for a view that nothing was mapped in. */
AtomicBigEndian *tce_root(iommu_table *table);
AtomicBigEndian *view_root(iommu_table *table);

/* Both words of entry @place, counted from the table's first, made if missing. -ENOMEM. */
Result<EntryWords> reserve_entry(iommu_table *table, unsigned long place, MaySleep may_sleep);

} /* namespace tce */

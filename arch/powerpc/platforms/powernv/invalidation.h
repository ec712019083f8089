/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes the PEs that a table of our own is linked to see what has changed. Any context, no lock. */
#pragma once

#include "arch/powerpc/kernel/table.h"

namespace tce {

/* @page is the table's page size; @range is not empty. */
void invalidate_in_all_pes(iommu_table *table, PageShift page, EntryRange range);

} /* namespace tce */

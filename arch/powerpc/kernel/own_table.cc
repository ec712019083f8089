// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/own_table.h"

namespace tce {

namespace {

void exchange(iommu_table *table, unsigned long index, unsigned long *hpa, unsigned int *direction)
{
	OwnTable::of(table).gate().exchange(TceIndex(index), hpa, direction);
}

void *view(iommu_table *table, unsigned long index, bool allocate)
{
	return OwnTable::of(table).gate().view_word(TceIndex(index), allocate);
}

void kill(iommu_table *table, unsigned long index, unsigned long pages)
{
	OwnTable::of(table).gate().kill({ TceIndex(index), Entries(pages) });
}

void free_table(iommu_table *table)
{
	OwnTable::of(table).destroy();
}

} /* namespace */

constinit const glue_own_table_ops own_table_ops = {
	.exchange = exchange,
	.view = view,
	.kill = kill,
	.free = free_table,
};

} /* namespace tce */

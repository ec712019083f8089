// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/own_tables/own_table.h"

#include "arch/powerpc/tce/traced.h"

namespace tce {

namespace {

void exchange(iommu_table *table, unsigned long index, unsigned long *hpa, unsigned int *direction)
{
	OwnTable &own = OwnTable::of(table);
	unsigned long page = *hpa;
	unsigned int wanted = *direction;
	bool is_allowed = own.gate().exchange(TceIndex(index), hpa, direction);

	if (is_traced()) [[unlikely]]
		glue_trace_kvm_exchange(own.gate().container(),
					own.geometry().page().address(TceIndex(index)).value(),
					page, wanted, is_allowed);
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

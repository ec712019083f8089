// SPDX-License-Identifier: GPL-2.0-only
/* What KVM and the kernel call for a table of our own. */
#include "arch/powerpc/kernel/own_table.h"

#include "arch/powerpc/kernel/traced.h"

using namespace tce;

extern "C" void tce_own_table_exchange(iommu_table *table, unsigned long index, unsigned long *hpa,
				       unsigned int *direction)
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

extern "C" void *tce_own_table_view(iommu_table *table, unsigned long index, bool allocate)
{
	return OwnTable::of(table).gate().view_word(TceIndex(index), allocate);
}

extern "C" void tce_own_table_kill(iommu_table *table, unsigned long index, unsigned long pages)
{
	OwnTable::of(table).gate().kill({ TceIndex(index), Entries(pages) });
}

extern "C" void tce_own_table_free(iommu_table *table)
{
	OwnTable::of(table).destroy();
}

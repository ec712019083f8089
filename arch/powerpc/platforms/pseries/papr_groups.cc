// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/pseries/papr_groups.h"

#include "arch/powerpc/tables/table_group.h"
#include "arch/powerpc/platforms/pseries/papr_table.h"

namespace tce {

void PaprGroups::put_into_slot(const TableGroup &group, unsigned int num, iommu_table *table)
{
	iommu_tce_table_get(table);
	glue_group_set_table(group.kernel(), num, table);
}

void PaprGroups::take_out_of_slot(const TableGroup &group, unsigned int num, iommu_table *table)
{
	if (glue_table_group_table(group.kernel(), num) != table)
		return;
	glue_group_set_table(group.kernel(), num, PaprTable::of(table).platform_table());
	iommu_tce_table_put(table);
}

} /* namespace tce */

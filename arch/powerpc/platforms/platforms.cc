// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/platforms.h"

#include "arch/powerpc/kernel/kernel_tables.h"
#include "arch/powerpc/platforms/powernv/powernv_tables.h"
#include "glue/powernv.h"

namespace tce {

namespace {

constinit KernelTables kernel_tables;
constinit PowernvTables powernv_tables;

/* Written at module load, before the first group comes. */
constinit bool use_powernv_tables = false;

} /* namespace */

void choose_platform(bool kernel_tables_only)
{
	if (kernel_tables_only || !glue_opal_is_firmware())
		return;
	use_powernv_tables = glue_opal_find();
	if (!use_powernv_tables)
		glue_opal_say_not_found();
}

Result<TableGroup> find_table_group(iommu_group *group)
{
	void *tables = iommu_group_get_iommudata(group);
	glue_pe pe;

	if (!tables)
		return Errno::NoDevice;

	bool is_powernv = use_powernv_tables && glue_pe_of_group(group, &pe);
	const TablePlatform &platform =
		is_powernv ? static_cast<const TablePlatform &>(powernv_tables) : kernel_tables;

	return TableGroup(group, static_cast<iommu_table_group *>(tables), platform);
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/platforms.h"

#include "arch/powerpc/platforms/kernel/kernel_groups.h"
#include "arch/powerpc/platforms/powernv/glue/opal.h"
#include "arch/powerpc/platforms/powernv/glue/phb3.h"
#include "arch/powerpc/platforms/powernv/invalidation.h"
#include "arch/powerpc/platforms/powernv/powernv_groups.h"
#include "arch/powerpc/platforms/pseries/borrowed_groups.h"
#include "arch/powerpc/platforms/pseries/dynamic_groups.h"
#include "arch/powerpc/platforms/pseries/glue/hypercalls.h"
#include "arch/powerpc/platforms/pseries/hypervisor.h"

namespace tce {

namespace {

constinit KernelGroups kernel_groups;
constinit PowernvGroups powernv_groups;
constinit DynamicGroups dynamic_groups;
constinit BorrowedGroups borrowed_groups;

/* Written at module load, before the first group is attached. */
constinit bool use_powernv_tables = false;

/*
 * The group's PE can have tables of our own. It has to forget TCEs that it has cached: where our
 * calls cannot bring it to that, the kernel's own code may still be able to.
 */
bool can_have_powernv_tables(iommu_group *group)
{
	glue_pe pe;

	return use_powernv_tables && glue_pe_of_group(group, &pe) && !invalidate_pe(pe).is_error();
}

/* A group of a partition. */
Result<TableGroup> partition_group(iommu_group *group, iommu_table_group *tables)
{
	TableGroup dynamic(group, tables, dynamic_groups);

	if (dynamic.has_dynamic_windows())
		return dynamic;
	return TableGroup(group, tables, borrowed_groups,
			  TRY(borrowed_limits(group, dynamic.limits())));
}

/*
 * A group with tables of the kernel's own platform code, from which KVM cannot be kept: it would
 * put pages into them that are smaller than the table's, see KvmGate.
 */
TableGroup kernel_tables_group(iommu_group *group, iommu_table_group *tables)
{
	glue_table_group_limits limits = TableGroup(group, tables, kernel_groups).limits();

	limits.page_sizes &= kernel_page.size().value() | (kernel_page.size().value() - 1);
	return TableGroup(group, tables, kernel_groups, limits);
}

} /* namespace */

void choose_platform(bool kernel_tables_only)
{
	find_multi_tce_calls();
	if (kernel_tables_only || !glue_opal_is_firmware())
		return;
	use_powernv_tables = glue_opal_find();
	if (!use_powernv_tables)
		glue_opal_say_not_found();
}

void release_platform()
{
	use_powernv_tables = false;
	glue_phb3_unmap_registers();
}

Result<TableGroup> find_table_group(iommu_group *group)
{
	void *tables = iommu_group_get_iommudata(group);

	if (!tables)
		return Errno::NoDevice;

	if (glue_papr_is_one())
		return partition_group(group, static_cast<iommu_table_group *>(tables));

	if (can_have_powernv_tables(group))
		return TableGroup(group, static_cast<iommu_table_group *>(tables), powernv_groups);
	return kernel_tables_group(group, static_cast<iommu_table_group *>(tables));
}

} /* namespace tce */

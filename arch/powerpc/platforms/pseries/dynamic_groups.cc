// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/pseries/dynamic_groups.h"

#include "arch/powerpc/tables/table_group.h"
#include "arch/powerpc/platforms/pseries/papr_table.h"
#include "kcxx/scope_exit.h"
#include "kernel/mm.h"

namespace tce {

namespace {

constexpr PageShift default_window_page{ 12 };

/* What the kernel's code takes for the default window, which is not made by the same call. */
bool is_default_window(const TableGroup &group, unsigned int num, PageShift page, Bytes size)
{
	return !num && page == default_window_page && size <= group.default_window_size();
}

bool has_dynamic_window(const TableGroup &group)
{
	for (unsigned int num = 0; num < max_tables; ++num) {
		iommu_table *table = glue_table_group_table(group.kernel(), num);

		if (!table)
			continue;

		Geometry geometry = Geometry::of(table);
		Bytes size = geometry.page().bytes(geometry.entries().count);

		if (!is_default_window(group, num, geometry.page(), size))
			return true;
	}
	return false;
}

Bytes kernel_table_size(const TableGroup &group, const TableShape &shape)
{
	return Bytes(glue_table_group_get_table_size(group.kernel(), shape.page().value(),
						     shape.size().value(), shape.levels()));
}

} /* namespace */

Result<Bytes> DynamicGroups::table_memory(const TableGroup &group, const TableShape &shape) const
{
	Bytes kernel = kernel_table_size(group, shape);

	/* The kernel's code knows no such window. */
	if (!kernel.value())
		return Errno::Invalid;
	/* The kernel's code allocates as much at once, and would print that it cannot. */
	if (pages_for(kernel) > Pages(glue_total_ram_pages()))
		return Errno::NoMemory;
	return kernel + PaprTable::size(shape.entries());
}

Result<Table> DynamicGroups::create_table(const TableGroup &group, unsigned int num,
					  const TableShape &shape) const
{
	/* One that is made would take the other away, or there is no room for a second one. */
	if (has_dynamic_window(group))
		return is_default_window(group, num, shape.page(), shape.size())
			       ? Errno::NotPermitted
			       : Errno::NoSpace;

	iommu_table *made = nullptr;
	long ret = glue_table_group_create_table(group.kernel(), num, shape.page().value(),
						 shape.size().value(), shape.levels(), &made);

	if (ret)
		return Error::from_kernel(ret);
	/* The slot's reference stays. */
	iommu_tce_table_put(made);

	kcxx::ScopeExit rollback([&] { glue_table_group_unset_window(group.kernel(), num); });
	Geometry geometry = Geometry::of(made);
	Table table = TRY(PaprTable::create(glue_table_liobn(made), geometry.page(),
					    geometry.entries(), geometry.node(), made));

	rollback.dismiss();
	return table;
}

Result<void> DynamicGroups::unset_window(const TableGroup &group, unsigned int num,
					 const Table &table) const
{
	take_out_of_slot(group, num, table.kernel());
	/*
	 * A window that the firmware does not remove stays, with the kernel's own table and empty
	 * entries. Nothing reads ours.
	 */
	glue_table_group_unset_window(group.kernel(), num);
	return {};
}

Result<void> DynamicGroups::claim(const TableGroup &) const
{
	return {};
}

} /* namespace tce */

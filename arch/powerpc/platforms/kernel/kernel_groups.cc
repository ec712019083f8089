// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/kernel/kernel_groups.h"

#include "arch/powerpc/tce/level_shape.h"
#include "arch/powerpc/tables/table_group.h"

namespace tce {

Result<Bytes> KernelGroups::table_memory(const TableGroup &group, const TableShape &shape) const
{
	/* The platform finds the first when it makes the table only, and prints about the other. */
	if (group.tables_in_memory() && !shape.level_shape().is_addressable(shape.page()))
		return Errno::Invalid;
	if (group.tables_in_memory() && !shape.level_shape().is_allocatable())
		return Errno::NoMemory;

	Bytes size(glue_table_group_get_table_size(group.kernel(), shape.page().value(),
						   shape.size().value(), shape.levels()));

	if (!size.value())
		return Errno::Invalid;
	return size;
}

Result<Table> KernelGroups::create_table(const TableGroup &group, unsigned int num,
					 const TableShape &shape) const
{
	iommu_table *table = nullptr;
	long ret = glue_table_group_create_table(group.kernel(), num, shape.page().value(),
						 shape.size().value(), shape.levels(), &table);

	if (ret)
		return Error::from_kernel(ret);
	return Table::of_kernel(table);
}

Result<void> KernelGroups::set_window(const TableGroup &group, unsigned int num,
				      const Table &table) const
{
	/* The platform returns the firmware's own codes, which mean other things as errnos. */
	if (glue_table_group_set_window(group.kernel(), num, table.kernel()))
		return Errno::Io;

	/* It does not tell when there was no memory to link the table to the group. */
	if (glue_table_group_table(group.kernel(), num) != table.kernel()) {
		if (glue_table_group_unset_window(group.kernel(), num))
			table.keep_for_ever();
		return Errno::NoMemory;
	}
	return {};
}

Result<void> KernelGroups::unset_window(const TableGroup &group, unsigned int num,
					const Table &) const
{
	if (glue_table_group_unset_window(group.kernel(), num))
		return Errno::Io;
	return {};
}

/* The platform's operation takes away a window of any kind, also one that has no table. */
Result<void> KernelGroups::claim(const TableGroup &group) const
{
	for (unsigned int num = 0; num < max_tables; ++num) {
		if (glue_table_group_unset_window(group.kernel(), num))
			return Errno::Io;
	}
	return {};
}

bool KernelGroups::tables_serve_many_groups() const
{
	return true;
}

} /* namespace tce */

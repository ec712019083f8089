// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/powernv_groups.h"

#include "arch/powerpc/tce/level_shape.h"
#include "arch/powerpc/tables/table_group.h"
#include "arch/powerpc/platforms/powernv/glue/opal.h"
#include "arch/powerpc/platforms/powernv/powernv_table.h"

namespace tce {

namespace {

/* The second window of a PE is where PCI address bit 59 is set. */
constexpr unsigned long second_window_start = kcxx::power_of_two(59);

} /* namespace */

Result<Bytes> PowernvGroups::table_memory(const TableGroup &, const TableShape &shape) const
{
	LevelShape levels = shape.level_shape();

	if (!levels.is_addressable(shape.page()))
		return Errno::Invalid;
	if (!levels.is_allocatable())
		return Errno::NoMemory;

	/* The TCEs and the userspace view. */
	return levels.total_size() +
	       LevelShape::of_least_blocks(levels.entries_shift()).total_size();
}

Result<Table> PowernvGroups::create_table(const TableGroup &group, unsigned int num,
					  const TableShape &shape) const
{
	glue_pe pe;

	if (!glue_pe_of_group(group.group(), &pe))
		return Errno::NoDevice;

	LevelShape level_shape = shape.level_shape();
	Ioba start = num ? Ioba(second_window_start) : group.default_window_start();
	glue_table_geometry geometry = {
		.offset = shape.page().index(start).value(),
		.size = kcxx::power_of_two(level_shape.entries_shift()),
		.page_shift = shape.page().value(),
		.indirect_levels = level_shape.levels() - 1,
		.level_size = kcxx::power_of_two(level_shape.shift()),
		.node = pe.node,
		.base = nullptr,
	};

	return Table::of_own(TRY(create_own_table<PowernvTable>(geometry, 0, shape.memory())));
}

Result<void> PowernvGroups::set_window(const TableGroup &group, unsigned int num,
				       const Table &table) const
{
	glue_pe pe;

	if (!glue_pe_of_group(group.group(), &pe))
		return Errno::NoDevice;

	kcxx::Owned<PeLink> link = TRY(kcxx::make_owned<PeLink>(group.kernel(), pe));
	PowernvTable &own = PowernvTable::of(table);

	/* Before the PE can read the table: KVM can change entries now, and has to tell it. */
	own.link(kcxx::move(link));
	if (glue_opal_map_window(&pe, num, table.geometry().indirect_levels() + 1,
				 own.base().value(), own.block_size().value(),
				 table.geometry().page().size().value())) {
		own.unlink(group.kernel());
		return Errno::Io;
	}
	iommu_tce_table_get(table.kernel());
	glue_group_set_table(group.kernel(), num, table.kernel());

	/*
	 * The call worked when the group was attached. If it fails now there is no window, rather
	 * than one whose TCEs go stale.
	 */
	if (!invalidate_pe(pe).is_error())
		return {};
	if (unset_window(group, num, table).is_error())
		table.keep_for_ever();
	return Errno::Io;
}

Result<void> PowernvGroups::unset_window(const TableGroup &group, unsigned int num,
					 const Table &table) const
{
	PowernvTable &own = PowernvTable::of(table);
	const PeLink *link = own.find_link(group.kernel());

	if (!link)
		return {};

	bool refused = glue_opal_map_window(&link->pe, num, 0, 0, 0, 0);

	/* Nothing more could be done about it. */
	kcxx::ignore(invalidate_pe(link->pe));
	glue_group_set_table(group.kernel(), num, nullptr);
	own.unlink(group.kernel());
	iommu_tce_table_put(table.kernel());
	return refused ? Result<void>(Errno::Io) : Result<void>();
}

/* A window of no levels takes away the one that is set, of whichever kind it is. */
Result<void> PowernvGroups::claim(const TableGroup &group) const
{
	glue_pe pe;

	if (!glue_pe_of_group(group.group(), &pe))
		return Errno::NoDevice;
	for (unsigned int num = 0; num < max_tables; ++num) {
		if (glue_opal_map_window(&pe, num, 0, 0, 0, 0))
			return Errno::Io;
	}
	return invalidate_pe(pe);
}

bool PowernvGroups::tables_serve_many_groups() const
{
	return true;
}

} /* namespace tce */

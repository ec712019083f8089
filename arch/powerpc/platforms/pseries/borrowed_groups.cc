// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/pseries/borrowed_groups.h"

#include "arch/powerpc/tables/table_group.h"
#include "arch/powerpc/platforms/pseries/glue/device_tree.h"
#include "arch/powerpc/platforms/pseries/papr_table.h"
#include "kernel/sync.h"

namespace tce {

namespace {

constexpr PageShift window_page{ 12 };
constexpr int any_node = -1;

bool is_in_use(const TableGroup &group)
{
	for (unsigned int num = 0; num < max_tables; ++num) {
		if (glue_table_group_table(group.kernel(), num))
			return true;
	}
	return false;
}

/* A power of two of whole pages, at whole pages: what a table can have. */
bool is_possible(const glue_firmware_window &window)
{
	return kcxx::is_power_of_two(window.size) && window_page.divides(window.size) &&
	       window_page.divides(window.start) &&
	       !Ioba(window.start).checked_add(Bytes(window.size)).is_error();
}

EntryRange entries_of(const glue_firmware_window &window)
{
	return { window_page.index(Ioba(window.start)), window_page.entries(Bytes(window.size)) };
}

} /* namespace */

Result<glue_table_group_limits> borrowed_limits(iommu_group *group,
						const glue_table_group_limits &limits)
{
	glue_firmware_window window;

	if (!glue_papr_default_window(group, &window) || !is_possible(window))
		return Errno::Invalid;

	glue_table_group_limits borrowed = limits;

	borrowed.tce32_start = window.start;
	borrowed.tce32_size = window.size;
	borrowed.page_sizes = window_page.size().value();
	borrowed.max_windows = 1;
	borrowed.max_levels = 1;
	borrowed.fixed_window = true;
	return borrowed;
}

Result<Bytes> BorrowedGroups::table_memory(const TableGroup &, const TableShape &shape) const
{
	return PaprTable::size(shape.entries());
}

Result<Table> BorrowedGroups::create_table(const TableGroup &group, unsigned int num,
					   const TableShape &shape) const
{
	glue_firmware_window window;

	if (!glue_papr_default_window(group.group(), &window))
		return Errno::NoDevice;
	if (num || is_in_use(group))
		return Errno::NoSpace;
	if (shape.page().value() != window_page.value() || shape.size().value() != window.size ||
	    group.default_window_start().value() != window.start)
		return Errno::Invalid;
	return PaprTable::create(window.liobn, window_page, entries_of(window), any_node, nullptr);
}

/* Its entries are empty by now; the window itself stays. */
Result<void> BorrowedGroups::unset_window(const TableGroup &group, unsigned int num,
					  const Table &table) const
{
	take_out_of_slot(group, num, table.kernel());
	return {};
}

Result<void> BorrowedGroups::claim(const TableGroup &group) const
{
	glue_firmware_window window;

	if (!glue_papr_default_window(group.group(), &window))
		return Errno::NoDevice;
	if (is_in_use(group))
		return Errno::Busy;

	TceCalls calls(window.liobn, window_page);
	bool all = for_each_part(entries_of(window), [&](EntryRange part) {
		glue_cond_resched();
		return calls.clear(part);
	});

	return all ? Result<void>() : Result<void>(Errno::Io);
}

} /* namespace tce */

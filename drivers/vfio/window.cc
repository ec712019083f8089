// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/window.h"

namespace tce {

Result<kcxx::Owned<Window>> Window::create(const Mapper::Context &context, const TableGroup &group,
					   unsigned int num, const TableShape &shape)
{
	/*
	 * Of type 1 it is nobody's in particular, and of a size that nobody uses up: there, what it
	 * takes is the memory cgroup's only, as with other page tables.
	 */
	LockedMemory charge =
		context.mm ? TRY(LockedMemory::charge(context.mm, pages_for(shape.memory())))
			   : LockedMemory();
	Table table = TRY(group.create_table(num, shape));
	Result<kcxx::Owned<Window>> window =
		kcxx::make_owned<Window>(kcxx::move(table), kcxx::move(charge), context);

	/* Without memory nothing was moved. A partition's window exists from its creation on. */
	if (window.is_error() && group.unset_window(num, table).is_error())
		table.keep_for_ever();
	return window;
}

} /* namespace tce */

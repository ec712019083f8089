// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/window.h"

namespace tce {

Result<kcxx::Owned<Window>> Window::create(const AddressSpace &mm, const TableGroup &group,
					   unsigned int num, const WindowShape &shape)
{
	Bytes size = TRY(group.table_size(shape));
	LockedMemory charge = TRY(LockedMemory::charge(mm.get(), pages_for(size)));
	Table table = TRY(group.create_table(num, shape));

	return kcxx::make_owned<Window>(kcxx::move(table), kcxx::move(charge));
}

} /* namespace tce */

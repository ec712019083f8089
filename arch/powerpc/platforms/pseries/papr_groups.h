/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PaprGroups: what the groups of a partition have in common, whether they have dynamic windows
 * (DynamicGroups) or only the one that the firmware has made (BorrowedGroups). A window exists from
 * its creation on, and belongs to one PE.
 */
#pragma once

#include "arch/powerpc/tables/group_backend.h"

namespace tce {

class PaprGroups : public GroupBackend {
public:
	/* Inline, as all of this class: one that is not would want the virtual table of this class.
	 */
	Result<void> set_window(const TableGroup &group, unsigned int num,
				const Table &table) const override
	{
		put_into_slot(group, num, table.kernel());
		return {};
	}
	bool tables_serve_many_groups() const override { return false; }

protected:
	~PaprGroups() = default;

	/* Makes @table the group's in slot @num, for KVM to find it there. */
	static void put_into_slot(const TableGroup &group, unsigned int num, iommu_table *table);
	/* Undoes that: the kernel's own table takes its place, or none. */
	static void take_out_of_slot(const TableGroup &group, unsigned int num, iommu_table *table);
};

} /* namespace tce */

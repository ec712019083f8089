/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BorrowedGroups: the one window of a partition's PE that has no dynamic windows. The firmware has
 * made it and it cannot be removed; the user gets it, if it has the start, the size and the page
 * size that he asks for, and gives it back empty.
 *
 * While the group is the user's, the kernel has no table of the window: it drops its own when the
 * group is claimed and makes a new one when it is released.
 */
#pragma once

#include "arch/powerpc/glue/iommu.h"
#include "arch/powerpc/platforms/pseries/papr_groups.h"

namespace tce {

/*
 * What a group of that kind offers: one window as the firmware tells, of 4K pages. @limits: what
 * the kernel knows. -EINVAL: there is no such window, or none that a table could be made for.
 */
Result<glue_table_group_limits> borrowed_limits(iommu_group *group,
						const glue_table_group_limits &limits);

class BorrowedGroups final : public PaprGroups {
public:
	Result<Bytes> table_memory(const TableGroup &group, const TableShape &shape) const override;
	Result<Table> create_table(const TableGroup &group, unsigned int num,
				   const TableShape &shape) const override;
	Result<void> unset_window(const TableGroup &group, unsigned int num,
				  const Table &table) const override;
	/* Empties the window: what a driver of the kernel has left in it is out of reach. */
	Result<void> claim(const TableGroup &group) const override;
};

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DynamicGroups: windows of a partition that has dynamic windows (DDW). The kernel's own platform
 * code makes and removes a window by RTAS calls; what is in it is our own (papr_table.h).
 *
 * The kernel's code puts its table of a new window into the group's slot at once. Ours takes that
 * place while the window is set, so that KVM finds it there, and steps back before the kernel's
 * code is called again.
 *
 * A PE has at most one default window, below 4 GiB in slot 0, and one other. The kernel's code
 * takes any failure of the firmware for final, for this PE until the next boot; what it cannot do
 * is therefore refused before it is asked.
 *
 * Source: arch/powerpc/platforms/pseries/iommu.c, struct iommu_table_group_ops.
 */
#pragma once

#include "arch/powerpc/platforms/pseries/papr_groups.h"

namespace tce {

class DynamicGroups final : public PaprGroups {
public:
	Result<Bytes> table_memory(const TableGroup &group, const TableShape &shape) const override;
	Result<Table> create_table(const TableGroup &group, unsigned int num,
				   const TableShape &shape) const override;
	Result<void> unset_window(const TableGroup &group, unsigned int num,
				  const Table &table) const override;
	Result<void> claim(const TableGroup &group) const override;
};

} /* namespace tce */

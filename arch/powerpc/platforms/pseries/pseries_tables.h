/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PseriesTables: windows of a partition that has dynamic windows (DDW). The kernel's own platform
 * code makes and removes a window by RTAS calls; what is in it is our own (partition_table.h).
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

#include "arch/powerpc/kernel/table_platform.h"

namespace tce {

class PseriesTables final : public TablePlatform {
public:
	Result<Bytes> table_size(const TableGroup &group, const WindowShape &shape) const override;
	Result<Table> create_table(const TableGroup &group, unsigned int num,
				   const WindowShape &shape) const override;
	Result<void> set_window(const TableGroup &group, unsigned int num,
				const Table &table) const override;
	Result<void> unset_window(const TableGroup &group, unsigned int num,
				  const Table &table) const override;
	Leaf find_leaf(const Table &table, TceIndex index) const override;
	Result<Leaf> reserve_leaf(const Table &table, TceIndex index) const override;
	Reach invalidate(const Table &table, EntryRange range) const override;
	unsigned long permissions(Direction direction) const override;
	Result<void> take_over(const TableGroup &group) const override;
	bool tables_serve_many_groups() const override;
};

} /* namespace tce */

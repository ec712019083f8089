/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KernelGroups: windows of the kernel's own platform code, through its operations.
 *
 * Source: arch/powerpc/include/asm/iommu.h, struct iommu_table_group_ops.
 */
#pragma once

#include "arch/powerpc/tables/group_backend.h"

namespace tce {

class KernelGroups final : public GroupBackend {
public:
	Result<Bytes> table_memory(const TableGroup &group, const TableShape &shape) const override;
	Result<Table> create_table(const TableGroup &group, unsigned int num,
				   const TableShape &shape) const override;
	Result<void> set_window(const TableGroup &group, unsigned int num,
				const Table &table) const override;
	Result<void> unset_window(const TableGroup &group, unsigned int num,
				  const Table &table) const override;
	/*
	 * Takes all windows away: when the kernel fails to give a PE all of its windows back, it
	 * leaves one on that leads to all of the memory.
	 */
	Result<void> claim(const TableGroup &group) const override;
	bool tables_serve_many_groups() const override;
};

} /* namespace tce */

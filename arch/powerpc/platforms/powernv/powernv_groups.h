/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PowernvGroups: our own TCE tables for the PEs of IODA2 and IODA3 PHBs (POWER8 to POWER10).
 *
 * A table's top block is allocated with it; all other blocks, and the whole of the userspace view,
 * when something is mapped there for the first time. The memory of all of them is charged to the
 * user beforehand.
 *
 * A table knows the PEs that use it (PeLink); the group's tables[] is the other end. Both ends
 * change together here, under the container's lock, and are read by others under RCU.
 *
 * Source: arch/powerpc/include/asm/iommu.h; OPAL API, OPAL_PCI_MAP_PE_DMA_WINDOW and
 * OPAL_PCI_TCE_KILL.
 */
#pragma once

#include "arch/powerpc/tables/group_backend.h"

namespace tce {

class PowernvGroups final : public GroupBackend {
public:
	Result<Bytes> table_memory(const TableGroup &group, const TableShape &shape) const override;
	Result<Table> create_table(const TableGroup &group, unsigned int num,
				   const TableShape &shape) const override;
	Result<void> set_window(const TableGroup &group, unsigned int num,
				const Table &table) const override;
	Result<void> unset_window(const TableGroup &group, unsigned int num,
				  const Table &table) const override;
	/*
	 * Takes both windows away: when the kernel fails to give a PE all of its windows back, it
	 * leaves one on that leads to all of the memory.
	 */
	Result<void> claim(const TableGroup &group) const override;
	bool tables_serve_many_groups() const override;
};

} /* namespace tce */

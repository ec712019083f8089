/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of a partition. The TCEs that a PHB reads are the hypervisor's and are written by calls
 * only. Our table has a copy of each, in blocks of memory, which is what is exchanged first and is
 * always the truth about what an entry held: no call is needed to read one.
 *
 * Locking: the copies change under the lock of the table's gate, and go to the hypervisor under it,
 * where they are read again: the last call has what the copy has. The container's calls write the
 * copies of a whole run and then push the run; KVM's handlers, which cannot be told of a failure
 * later, do both for one entry at a time.
 */
#pragma once

#include "arch/powerpc/kernel/table.h"
#include "arch/powerpc/platforms/pseries/hypervisor.h"

namespace tce {

class TableGroup;

/* TCEs of a partition can allow writing alone. */
unsigned long partition_permissions(Direction direction);

/*
 * A table of the window @liobn, which has @entries. @platform_table: the kernel's own table of that
 * window, or nullptr. -ENOMEM. May sleep.
 */
Result<Table> create_partition_table(const TablePlatform &platform, unsigned long liobn,
				     PageShift page, EntryRange entries, int node,
				     iommu_table *platform_table);

/* What such a table and its userspace view can come to. */
Bytes partition_table_size(Entries entries);

/* Gives the hypervisor the copies of @range. Any context, no lock. */
Reach push(iommu_table *table, const Geometry &geometry, EntryRange range);

/* Makes @table the group's in slot @num, for KVM to find it there. */
void put_into_slot(const TableGroup &group, unsigned int num, iommu_table *table);
/* The same again backwards, with the kernel's own table or none in its place. */
void take_out_of_slot(const TableGroup &group, unsigned int num, iommu_table *table);

} /* namespace tce */

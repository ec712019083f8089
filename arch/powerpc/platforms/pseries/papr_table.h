/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PaprTable: a table of our own of a partition's window. The TCEs that a PHB reads are the
 * hypervisor's and are written by calls only. Our table has a copy of each in blocks of memory. The
 * copy changes first, and tells what an entry held without a call.
 *
 * Locking: the copies change under the lock of the table's gate, and go to the hypervisor under it,
 * where they are read again: the last call has what the copy has. The container's calls write the
 * copies of a whole run and then push the run; KVM's handlers, which cannot be told of a failure
 * later, do both for one entry at a time.
 */
#pragma once

#include "arch/powerpc/own_tables/own_table.h"
#include "arch/powerpc/tables/table.h"
#include "arch/powerpc/platforms/pseries/hypervisor.h"

namespace tce {

class PaprTable final : public OwnTable {
public:
	/*
	 * A table of the window @liobn, which has @entries. @platform_table: the kernel's own table
	 * of that window, or nullptr. -ENOMEM. May sleep.
	 */
	static Result<Table> create(unsigned long liobn, PageShift page, EntryRange entries,
				    int node, iommu_table *platform_table);
	/* The most memory that such a table and its userspace view can take. */
	static Bytes size(Entries entries);

	static PaprTable &of(iommu_table *table)
	{
		return static_cast<PaprTable &>(OwnTable::of(table));
	}

	/* For create() only. */
	PaprTable(const Geometry &geometry, TceCalls calls, TceList list,
		  iommu_table *platform_table);

	iommu_table *platform_table() const { return m_platform_table; }
	const TceCalls &calls() const { return m_calls; }

	/* Gives the hypervisor the copies of @range. Without the gate's lock. */
	Update push(EntryRange range);

private:
	bool push_some(EntryRange range, const AtomicBigEndian *copies);
	/* Belongs to who holds the gate's lock. */
	AtomicBigEndian *list(const KvmGate::Guard &) const { return m_list.tces(); }
	Update clear(EntryRange range);

	const TceCalls m_calls;
	const TceList m_list;
	iommu_table *const m_platform_table;
};

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Table: a counted reference on a TCE table, one of our own (OwnTable) or one of the kernel's
 * platform code (KernelTable).
 *
 * An entry has two halves: the TCE proper, which the PHB reads, and the word of the *userspace
 * view*, which holds the user's address of what is mapped and is 0 where nothing is. The view
 * says which registered region an entry belongs to.
 *
 * Locking: the container's lock keeps its own callers apart. KVM's H_PUT_TCE handlers do not
 * take it and work on the same table at the same time, from any CPU. Both words of an entry of our
 * own tables change together, under the lock of the table's gate (KvmGate); those of the kernel's
 * tables one after the other, the TCE by exchange and the view's word through AtomicBigEndian.
 *
 * Source: arch/powerpc/include/asm/iommu.h, struct iommu_table and iommu_table_ops.
 */
#pragma once

#include "arch/powerpc/kernel_tables/kernel_table.h"
#include "arch/powerpc/own_tables/own_table.h"
#include "kcxx/ref.h"

template <> struct kcxx::RefTraits<iommu_table> {
	static void get(iommu_table *table) { iommu_tce_table_get(table); }
	static void put(iommu_table *table) { iommu_tce_table_put(table); }
};

namespace tce {

class Table {
public:
	/* Both take over the caller's reference. */
	static Table of_kernel(iommu_table *table) { return Table(table, nullptr); }
	static Table of_own(iommu_table *table) { return Table(table, &OwnTable::of(table)); }

	const Geometry &geometry() const { return m_geometry; }
	/* One of our own, whose memory is known. */
	bool is_own() const { return m_own; }
	TableMemory memory() const { return m_own->entries().memory(); }
	iommu_table *kernel() const { return m_table.get(); }

	/* The leaf of @index. Does not sleep, allocates nothing. */
	[[gnu::always_inline]] Leaf find(TceIndex index) const
	{
		return m_own ? m_own->find_leaf(index) : kernel_table().find_leaf(index);
	}

	/* The leaf of @index, made if there is a hole. -ENOMEM. May sleep. */
	[[gnu::always_inline]] Result<Leaf> reserve(TceIndex index) const
	{
		return m_own ? m_own->reserve_leaf(index) : kernel_table().reserve_leaf(index);
	}

	/* Of a leaf that is reached by operation: see KernelTable. */
	Result<OldEntry> exchange(TceIndex index, HostPhys page, Direction direction) const
	{
		return kernel_table().exchange(index, page, direction);
	}

	/* The permission bits of a TCE of this table. */
	Permissions permissions(Direction direction) const
	{
		return m_own ? m_own->permissions(direction) : tce::permissions(direction);
	}

	/* Makes every PE that uses the table see what has changed in @range. */
	Update invalidate(EntryRange range) const
	{
		return m_own ? m_own->invalidate(range) : invalidate_kernels(range);
	}

	/* Under whose lock the entries change that are in memory. */
	KvmGate &gate() const { return m_own->gate(); }

	/*
	 * Lets KVM's H_PUT_TCE handlers change entries for the process @owner, whose @container has
	 * the table; its number is for events only. KVM counts them in regions of registered
	 * memory, so it is not for tables of other memory. Nothing can keep KVM from the tables of
	 * the kernel's own platform code.
	 */
	void open_to_kvm(mm_struct *owner, unsigned int container) const
	{
		if (m_own && m_geometry.page() <= kernel_page)
			m_own->gate().open(owner, container);
	}
	/* Before the table is emptied for the last time: KVM changes nothing any more. */
	void close_to_kvm() const
	{
		if (m_own)
			m_own->gate().close();
	}
	/* After that: waits until nothing of what KVM did is left. May sleep. */
	void drain_kvm() const
	{
		if (m_own)
			m_own->gate().drain();
	}
	/* Gives back what KVM has taken out without an invalidation. */
	void flush_kvm() const
	{
		if (m_own)
			m_own->gate().flush();
	}

	/* Takes a reference that nobody puts: the table is never freed. */
	void keep_for_ever() const { iommu_tce_table_get(kernel()); }

private:
	Table(iommu_table *table, OwnTable *own)
		: m_table(kcxx::Ref<iommu_table>::adopt(table)), m_own(own),
		  m_geometry(Geometry::of(table))
	{
	}

	KernelTable kernel_table() const { return KernelTable(kernel(), m_geometry); }
	/* Apart, so that an own table does not pay for what it has on the stack. */
	[[gnu::noinline]] Update invalidate_kernels(EntryRange range) const
	{
		return kernel_table().invalidate(range);
	}

	kcxx::Ref<iommu_table> m_table;
	OwnTable *m_own; /* nullptr: one of the kernel's */
	Geometry m_geometry;
};

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Table: a counted reference on a TCE table.
 *
 * An entry has two halves: the TCE proper, which the PHB reads, and the word of the *userspace
 * view*, which holds the user's address of what is mapped and is 0 where nothing is. The view
 * says which registered region an entry belongs to.
 *
 * How the halves are reached is the platform's business (TablePlatform): either both are memory
 * that we know the layout of, or the TCE is behind an operation of the kernel's own platform code.
 *
 * Locking: the container's lock keeps its own callers apart. KVM's H_PUT_TCE handlers do not
 * take it and work on the same table at the same time, from any CPU. Both words of an entry of our
 * own tables change together, under the lock of the table's gate (KvmGate); those of the kernel's
 * tables one after the other, the TCE by exchange and the view's word through AtomicBigEndian.
 *
 * Source: arch/powerpc/include/asm/iommu.h, struct iommu_table and iommu_table_ops.
 */
#pragma once

#include "arch/powerpc/kernel/tce_format.h"
#include "arch/powerpc/kernel/tce_types.h"
#include "glue/iommu.h"
#include "kcxx/big_endian.h"
#include "kcxx/ref.h"

template <> struct kcxx::RefTraits<iommu_table> {
	static void get(iommu_table *table) { iommu_tce_table_get(table); }
	static void put(iommu_table *table) { iommu_tce_table_put(table); }
};

namespace tce {

using kcxx::AtomicBigEndian;

class KvmGate;
class TablePlatform;

/* Which entries a table has. Constant while the table lives. */
class Geometry {
public:
	static Geometry of(iommu_table *table);
	explicit Geometry(const glue_table_geometry &kernel) : m_kernel(kernel) {}

	PageShift page() const { return PageShift(static_cast<unsigned int>(m_kernel.page_shift)); }
	Ioba start() const { return Ioba(m_kernel.offset << m_kernel.page_shift); }
	EntryRange entries() const { return { TceIndex(m_kernel.offset), Entries(m_kernel.size) }; }
	bool contains(Ioba address) const
	{
		unsigned long index = address.value() >> m_kernel.page_shift;

		return index >= m_kernel.offset && index - m_kernel.offset < m_kernel.size;
	}
	/* An entry's number counted from the table's first. */
	unsigned long place(TceIndex index) const { return index.value() - m_kernel.offset; }

	/*
	 * The entries of @size bytes at @start. -EINVAL if these are not whole IOMMU pages, none
	 * at all, or not all inside the table.
	 */
	Result<EntryRange> range(Ioba start, Bytes size) const
	{
		if (!page().divides(start.value()) || !page().divides(size.value()) ||
		    !size.value())
			return Errno::Invalid;

		/* Compared as entries: the byte just past the last window may be 2^64. */
		TceIndex first(start.value() >> m_kernel.page_shift);
		Entries count(size.value() >> m_kernel.page_shift);

		if (!contains(start) || count > entries().end() - first)
			return Errno::Invalid;
		return EntryRange{ first, count };
	}

	/*
	 * How many entries from @index on lie in the same block of 1 << @shift entries, within
	 * the table. Blocks are counted from the table's first entry.
	 */
	Entries left_in_block(TceIndex index, unsigned int shift) const
	{
		Entries left_in_table = entries().end() - index;

		/* One block holds all. */
		if (shift >= 64)
			return left_in_table;

		unsigned long block = 1UL << shift;
		Entries left(block - (place(index) & (block - 1)));

		return left < left_in_table ? left : left_in_table;
	}

	/* Levels above the lowest one, and how many entries a block of each level has (log2). */
	unsigned int indirect_levels() const
	{
		return static_cast<unsigned int>(m_kernel.indirect_levels);
	}
	unsigned int level_shift() const { return m_level_shift; }
	/* The top block, and the NUMA node that the others are allocated on. */
	void *base() const { return m_kernel.base; }
	int node() const { return m_kernel.node; }

private:
	glue_table_geometry m_kernel;
	unsigned int m_level_shift =
		kcxx::log2_floor(m_kernel.level_size ? m_kernel.level_size : 1);
};

/* Successive entries that lie next to each other in memory, or a hole where nothing is mapped. */
struct Leaf {
	/* The TCEs; nullptr: reached by Table::exchange() only. */
	AtomicBigEndian *tces;
	/* The words of the view; nullptr: a hole. */
	AtomicBigEndian *view;
	/* How many there are from the asked-for index on, to the end of the leaf or hole. */
	Entries count;
};

/* What the devices can reach of some entries, after an invalidation. */
enum class Reach {
	Current, /* What the table says. */
	Nothing, /* The hypervisor has refused the entries, and has none of them now. */
	Unknown, /* It has refused to empty them as well: the old ones may be there. */
};

class Table {
public:
	/* Takes over the caller's reference. @gate: of a table of our own, which keeps it. */
	Table(iommu_table *table, const TablePlatform &platform, KvmGate *gate = nullptr);

	const Geometry &geometry() const { return m_geometry; }
	iommu_table *kernel() const { return m_table.get(); }

	/* The leaf of @index, or the hole that it is in. Does not sleep, allocates nothing. */
	Leaf find(TceIndex index) const;

	/* The leaf of @index, made if there is none. -ENOMEM. May sleep. */
	Result<Leaf> reserve(TceIndex index) const;

	/*
	 * Puts @page with @direction into the entry (Direction::None: empties it) and returns what
	 * it held. @page is a multiple of the IOMMU page size. -ENOMEM, nothing changed: a level
	 * of the table could not be allocated; never when the entry is emptied.
	 */
	Result<OldEntry> exchange(TceIndex index, HostPhys page, Direction direction) const;

	/* The permission bits of a TCE of this table. */
	unsigned long permissions(Direction direction) const;

	/* Makes every PE that uses the table see what was exchanged in @range. */
	Reach invalidate(EntryRange range) const;

	/*
	 * Under whose lock the entries change that are in memory (Leaf::tces); nullptr: the table
	 * is not our own, and there are none.
	 */
	KvmGate *gate() const { return m_gate; }

	/*
	 * Lets KVM's H_PUT_TCE handlers change entries for the process @owner. KVM counts them in
	 * regions of registered memory, so it is not for tables of other memory. Nothing can keep
	 * KVM from the tables of the kernel's own platform code.
	 */
	void open_to_kvm(mm_struct *owner) const;
	/* Before the table is emptied for the last time: KVM changes nothing any more. */
	void close_to_kvm() const;
	/* After that: waits until nothing of what KVM did is left. May sleep. */
	void drain_kvm() const;
	/* Gives back what KVM has taken out without an invalidation. */
	void flush_kvm() const;

	/* Takes a reference that nobody puts: the table is never freed. */
	void keep_for_ever() const { iommu_tce_table_get(kernel()); }

private:
	kcxx::Ref<iommu_table> m_table;
	const TablePlatform *m_platform;
	KvmGate *m_gate;
	Geometry m_geometry;
};

} /* namespace tce */

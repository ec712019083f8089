/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Table: a counted reference on a TCE table that the platform's own code made.
 *
 * An entry has two halves: the TCE proper, which the PHB reads, and the word of the *userspace
 * view*, which holds the user's address of what is mapped and is 0 where nothing is. The view
 * says which registered region an entry belongs to.
 *
 * Locking: the container's lock keeps its own callers apart. KVM's H_PUT_TCE handlers do not
 * take it and work on the same table at the same time, from any CPU: an entry changes only by
 * exchange(), and a view word only through AtomicBigEndian. Nothing here sleeps but release of
 * the last reference.
 *
 * Source: arch/powerpc/include/asm/iommu.h, struct iommu_table and iommu_table_ops.
 */
#pragma once

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

/* Which entries a table has. Constant while the table lives. */
class Geometry {
public:
	explicit Geometry(const glue_table_geometry &kernel) : m_kernel(kernel) {}

	PageShift page() const { return PageShift(static_cast<unsigned int>(m_kernel.page_shift)); }
	Ioba start() const { return Ioba(m_kernel.offset << m_kernel.page_shift); }
	EntryRange entries() const { return { TceIndex(m_kernel.offset), Entries(m_kernel.size) }; }
	bool contains(Ioba address) const;

	/*
	 * The entries of @size bytes at @start. -EINVAL if these are not whole IOMMU pages, none
	 * at all, or not all inside the table.
	 */
	Result<EntryRange> range(Ioba start, Bytes size) const;

	/* How many entries from @index on lie in one block of the table's lowest level. */
	Entries left_in_leaf(TceIndex index) const;

private:
	glue_table_geometry m_kernel;
};

/* What an entry held. */
struct OldEntry {
	HostPhys page;
	Direction direction; /* None: it was empty, and page means nothing */
};

class Table {
public:
	/* Takes over the caller's reference. */
	explicit Table(iommu_table *table);

	const Geometry &geometry() const { return m_geometry; }
	iommu_table *kernel() const { return m_table.get(); }

	/*
	 * The view's word for @index; geometry().left_in_leaf() words follow each other. With
	 * @allocate, missing levels are made and nullptr says that there is no memory for them.
	 * Without, nullptr says that nothing was ever mapped in this leaf.
	 */
	AtomicBigEndian *view(TceIndex index, bool allocate) const;

	/*
	 * Puts @page with @direction into the entry (Direction::None: empties it) and returns what
	 * it held. @page is a multiple of the IOMMU page size. -ENOMEM, nothing changed: a level
	 * of the table could not be allocated; never when the entry is emptied.
	 */
	Result<OldEntry> exchange(TceIndex index, HostPhys page, Direction direction) const
	{
		unsigned long hpa = page.value();
		unsigned int kernel_direction = static_cast<unsigned int>(direction);
		int ret = glue_table_exchange(kernel(), index.value(), &hpa, &kernel_direction);

		if (ret)
			return Error::from_kernel(ret);
		return OldEntry{ HostPhys(hpa), static_cast<Direction>(kernel_direction) };
	}

	/* Makes every PE that uses the table see what was exchanged in @range. */
	void invalidate(EntryRange range) const;

	/* Takes a reference that nobody puts: the table is never freed. */
	void keep_for_ever() const { iommu_tce_table_get(kernel()); }

private:
	kcxx::Ref<iommu_table> m_table;
	Geometry m_geometry;
};

} /* namespace tce */

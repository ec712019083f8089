/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapper: puts user memory into a table and takes it out again.
 *
 * Each entry that is mapped counts once in the kernel's region that it points into
 * (mm_iommu_mapped_inc), so that the memory stays pinned as long as a device can reach it. KVM's
 * H_PUT_TCE handlers do the same on the same tables at the same time. Therefore whoever takes a
 * TCE out by an exchange, and sees there that it was valid, drops its count: the region that it
 * belongs to is the one of the address in the userspace view.
 *
 * A region's count may be dropped only when no PE can have the TCE cached any more: another
 * container of the process can release the region at that very moment. What an exchange has taken
 * out is therefore collected (Replaced), and dropped after the invalidation.
 *
 * map() reserves first and commits then: memory that is not registered, pages that are too small
 * and levels that cannot be allocated are found before an entry is written. Only tables of the
 * kernel's own platform code can still fail to allocate a level half way; what was mapped up to
 * there is then unmapped.
 *
 * Locking: the container's lock. Process context; gives way to others in long runs.
 */
#pragma once

#include "arch/powerpc/kernel/table.h"
#include "arch/powerpc/kernel/tce_types.h"
#include "drivers/vfio/memory_registry.h"

namespace tce {

/* TCEs that a run has taken out of a table, with the user's address that each was for. */
class Replaced {
public:
	/* Also the longest run. Makes a container, which holds one of these, fit into 4 KiB. */
	static constexpr unsigned long capacity = 224;

	bool is_empty() const { return !m_count; }
	void add(OldEntry old, UserAddr user) { m_entries[m_count++] = { old, user }; }

	/* Calls @drop(old, user) for each, and forgets them. */
	template <typename Drop> void drop_all(Drop drop)
	{
		for (unsigned long i = 0; i < m_count; ++i)
			drop(m_entries[i].old, m_entries[i].user);
		m_count = 0;
	}

private:
	struct Entry {
		OldEntry old = OldEntry(0);
		UserAddr user;
	};

	unsigned long m_count = 0;
	Entry m_entries[capacity];
};

class Mapper {
public:
	/* Maps memory of @mm that @registry has registered. @replaced is empty between the calls.
	 */
	Mapper(const Table &table, const MemoryRegistry &registry, mm_struct *mm,
	       Replaced &replaced)
		: m_table(table), m_registry(registry), m_mm(mm), m_replaced(replaced),
		  m_page(table.geometry().page())
	{
	}

	/*
	 * Maps @range to the memory at @user, a multiple of the table's page size, in place of
	 * what was there. -EINVAL: not all registered by this container, or backed by pages
	 * smaller than the table's; -ENOMEM.
	 */
	Result<void> map(EntryRange range, UserAddr user, Direction direction);

	/* Unmaps @range; what is not mapped there stays so. Allocates nothing. */
	void unmap(EntryRange range);

	/* Unmaps all. */
	void clear() { unmap(m_table.geometry().entries()); }

private:
	Result<void> check_backing(EntryRange range, UserAddr user) const;
	Result<void> check_large_pages(const Region &region, UserAddr user, Entries count) const;
	Result<Leaf> reserve(EntryRange range) const;
	Result<void> map_run(const Region &region, const Leaf &leaf, EntryRange run, UserAddr user,
			     Direction direction, Entries &mapped);
	/* What is done per entry is inlined: it is all that counts in a long run. */
	template <typename Exchange>
	[[gnu::always_inline]] Result<void> map_entry(mm_iommu_table_group_mem_t *owner,
						      AtomicBigEndian &view, UserAddr user,
						      Exchange exchange);
	void empty_run(const Leaf &leaf, EntryRange run);
	template <typename Exchange>
	[[gnu::always_inline]] bool empty_entry(AtomicBigEndian &view, Exchange exchange);
	void settle(EntryRange run);
	[[gnu::always_inline]] void drop(OldEntry old, UserAddr user);
	[[gnu::noinline]] mm_iommu_table_group_mem_t *find_owner(UserAddr user);
	Entries pages_in(const Region &region, UserAddr from) const;

	const Table &m_table;
	const MemoryRegistry &m_registry;
	mm_struct *m_mm;
	Replaced &m_replaced;
	PageShift m_page;
	/* Where the last dropped entry belonged: the next one mostly does too. */
	const Region *m_last_owner = nullptr;
};

} /* namespace tce */

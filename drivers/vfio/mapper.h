/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapper: puts user memory into a table and takes it out again. The memory is either registered
 * before, in a region of the kernel's (v2), or pinned page by page for its entries (v1, type 1);
 * the view's word tells which (Backing), so that entries of both kinds are taken out in the same
 * way.
 *
 * An entry of a pinned page has the pin. It is given back only if the very page that the view names
 * was taken out: where KVM has put something else into a table of the kernel's own platform code, a
 * page stays pinned rather than be unpinned while a PE can reach it. (It has no way to change such
 * a table of our own, see KvmGate.)
 *
 * Each entry of registered memory counts once in the kernel's region that it points into
 * (mm_iommu_mapped_inc), so that the memory stays pinned as long as a device can reach it. KVM's
 * H_PUT_TCE handlers count in the same regions, on the same tables at the same time. Therefore
 * whoever takes a valid TCE out drops its count: the region that it belongs to is the one of the
 * address in the userspace view.
 *
 * A region's count may be dropped, and a page unpinned, only when no PE can have the TCE cached any
 * more: another container of the process can release the region at that very moment. What was taken
 * out is therefore gathered, and dropped after the invalidation.
 *
 * map() reserves first and commits then: memory that is not registered, pages that are too small
 * and levels that cannot be allocated are found before an entry is written. Only tables of the
 * kernel's own platform code can still fail to allocate a level half way; what was mapped up to
 * there is then unmapped.
 *
 * Locking: the container's lock. Process context; gives way to others in long runs.
 */
#pragma once

#include "arch/powerpc/tables/table.h"
#include "arch/powerpc/tce/taken_entry.h"
#include "arch/powerpc/tce/tce_types.h"
#include "drivers/vfio/backing.h"
#include "drivers/vfio/memory_registry.h"
#include "drivers/vfio/memory_run.h"
#include "drivers/vfio/pinned_pages.h"
#include "kcxx/result.h"

namespace tce {

/* TCEs that a run has taken out of a table, with the memory that was behind each. */
class Gathered {
public:
	/* Also the longest run: what a hypervisor takes with one call. */
	static constexpr unsigned long capacity = 512;

	/* Puts entries into @gathered, which is empty; they are there in the end. */
	class Writer {
	public:
		explicit Writer(Gathered &gathered) : m_gathered(gathered) {}
		Writer(const Writer &) = delete;
		Writer &operator=(const Writer &) = delete;
		~Writer() { m_gathered.m_end = m_next; }

		void add(OldEntry old, unsigned long backing) { *m_next++ = { old, backing }; }

	private:
		Gathered &m_gathered;
		TakenEntry *m_next = m_gathered.m_entries;
	};

	Gathered() = default;
	Gathered(const Gathered &) = delete;
	Gathered &operator=(const Gathered &) = delete;

	bool is_empty() const { return m_end == m_entries; }
	const TakenEntry *begin() const { return m_entries; }
	const TakenEntry *end() const { return m_end; }
	/* What was not dropped before stays pinned. */
	void forget() { m_end = m_entries; }

private:
	TakenEntry m_entries[capacity];
	TakenEntry *m_end = m_entries;
};

class Mapper {
public:
	/* What a container has one of, whichever window is mapped; it outlives the Mapper. */
	struct Context {
		const MemoryRegistry &registry;
		mm_struct *mm;
		Gathered &gathered; /* empty between the calls */
		PinnedCensus &census;
	};

	/* Maps memory of context.mm, which context.registry has registered. */
	Mapper(const Table &table, const Context &context)
		: m_table(table), m_context(context), m_page(table.geometry().page())
	{
	}
	Mapper(const Mapper &) = delete;
	Mapper &operator=(const Mapper &) = delete;

	/*
	 * Maps @range to the memory at @user, a multiple of the table's page size, in place of
	 * what was there. -EINVAL: not all registered by this container, or backed by pages
	 * smaller than the table's; -ENOMEM; -EIO: the hypervisor has refused. On an error that
	 * could not be foreseen (-ENOMEM on some platforms, -EIO) nothing is mapped in @range.
	 */
	Result<void> map(EntryRange range, UserAddr user, Direction direction) const;

	/*
	 * Maps @range to @pages, which are as many, in place of what was there, and takes over the
	 * pins of those that it has mapped. -ENOMEM, -EIO: as above.
	 */
	Result<void> map(EntryRange range, PinnedPages &pages, Direction direction) const;

	/*
	 * Maps @range, in which nothing is mapped, to the @pages, which are as many and are pinned
	 * as it goes on. Errors of PinnedStream, -ENOMEM, -EIO; nothing is mapped then.
	 */
	Result<void> map(EntryRange range, PinnedStream &pages, Direction direction) const;

	/*
	 * Unmaps @range; what is not mapped there stays so. Allocates nothing. -EIO: the hypervisor
	 * has refused, and the device may go on using memory, which therefore stays pinned.
	 */
	Result<void> unmap(EntryRange range) const;

	/* Unmaps all. */
	void clear() const { kcxx::ignore(unmap(m_table.geometry().entries())); }

private:
	/* The first of the regions that the memory is in, or an error of map(). */
	Result<const Region *> check_backing(EntryRange range, UserAddr user) const;
	[[gnu::noinline]] Result<void> check_regions(Entries left, UserAddr user) const;
	[[gnu::always_inline]] Result<Leaf> reserve(EntryRange range) const;
	[[gnu::noinline]] Result<void> reserve_all(EntryRange range) const;
	template <typename Memory>
	[[gnu::always_inline]] Result<void> map_from(Memory &memory, EntryRange range, Leaf leaf,
						     Direction direction) const;
	/* How many entries were mapped, and why not all. */
	struct Filled {
		Entries count;
		Result<void> result;
	};
	template <MemoryRun Run>
	[[gnu::always_inline]] Filled map_run(Run memory, Leaf leaf, EntryRange run,
					      Direction direction) const;
	template <MemoryRun Run>
	[[gnu::always_inline]] Filled fill_in_memory(Run memory, Leaf leaf, EntryRange run,
						     Direction direction) const;
	template <MemoryRun Run>
	Filled fill_by_operation(Run memory, Leaf leaf, EntryRange run, Direction direction) const;
	[[gnu::always_inline]] EntryRange empty_in_memory(Leaf leaf, EntryRange run) const;
	EntryRange empty_by_operation(Leaf leaf, EntryRange run) const;
	/* Drops what was gathered in @run, once no PE has it cached any more. */
	Update flush(EntryRange run) const
	{
		return m_context.gathered.is_empty() ? Update::Done : flush_gathered(run);
	}
	[[gnu::noinline]] Update flush_gathered(EntryRange run) const;
	/* Where an entry belongs: the next one mostly does too. */
	struct Owner {
		UserRange range{};
		mm_iommu_table_group_mem_t *region = nullptr;
	};
	void drop_all(const Gathered &gathered) const;
	const TakenEntry *drop_registered(const TakenEntry *first, const TakenEntry *end) const;
	const TakenEntry *drop_pinned(const TakenEntry *first, const TakenEntry *end) const;
	Owner find_owner(UserAddr user) const;

	const Table &m_table;
	const Context m_context;
	const PageShift m_page;
};

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/mapper.h"

#include "kcxx/scope_exit.h"
#include "kernel/mm.h"
#include "kernel/sync.h"

namespace tce {

namespace {

/* The length of a run, after which others are given way. */
constexpr Entries longest_run{ Gathered::capacity };

/* Whole pages of size @page from @from to the end of @region. */
Entries pages_in(const Region &region, UserAddr from, PageShift page)
{
	return page.entries(region.range().end() - from);
}

/* From a place in one region of registered memory to its end. */
class RegisteredRun {
public:
	RegisteredRun(const Region &region, UserAddr user, PageShift page)
		: m_region(region.kernel()), m_user(user), m_page(page),
		  m_left(pages_in(region, user, page))
	{
	}

	Entries left() const { return m_left; }

	Result<void> take(unsigned long &page) const
	{
		TRY(Result<void>::from_kernel(
			mm_iommu_ua_to_hpa(m_region, m_user.value(), m_page.value(), &page)));
		return Result<void>::from_kernel(mm_iommu_mapped_inc(m_region));
	}
	void give_back() const { mm_iommu_mapped_dec(m_region); }
	Backing backing() const { return Backing::registered(m_user); }
	void step() { m_user += m_page.size(); }

private:
	mm_iommu_table_group_mem_t *m_region;
	UserAddr m_user;
	PageShift m_page;
	Entries m_left;
};

/* Registered memory from an address on, all of which is known to be registered. */
class RegisteredMemory {
public:
	/* @first: the region of @user. */
	RegisteredMemory(const MemoryRegistry &registry, const Region &first, UserAddr user,
			 PageShift page)
		: m_registry(registry), m_region(&first), m_user(user), m_page(page)
	{
	}

	Result<void> prepare() const { return {}; }
	RegisteredRun run()
	{
		if (!m_region->range().contains(m_user)) [[unlikely]]
			m_region = m_registry.find(m_user);
		return RegisteredRun(*m_region, m_user, m_page);
	}
	void advance(Entries count) { m_user += m_page.bytes(count); }

private:
	const MemoryRegistry &m_registry;
	const Region *m_region;
	UserAddr m_user;
	PageShift m_page;
};

/*
 * Of a table of the kernel's: empties the view's word of an entry that was emptied, and returns
 * what was there: @seen, unless KVM has mapped something else in the meantime, and said so here.
 */
inline unsigned long empty_view(AtomicBigEndian &view, unsigned long seen)
{
	unsigned long found = view.replace(seen, 0);

	if (found != seen)
		view.replace(found, 0);
	return found;
}

/* How many of the @count words of a view come before the first that is not empty. */
[[gnu::noinline]] unsigned long count_empty(const AtomicBigEndian *view, unsigned long count)
{
	unsigned long i = 0;

	while (i < count && view[i].is_zero())
		++i;
	return i;
}

/* The same; mostly there are none. */
inline unsigned long skip_empty(const AtomicBigEndian *view, unsigned long count)
{
	return view->is_zero() ? count_empty(view, count) : 0;
}

/* How many entries from @first on have kernel pages that follow each other, pinned alike. */
unsigned long run_of(const TakenEntry *first, const TakenEntry *end)
{
	const Bytes step = kernel_page.size();
	const TakenEntry *next = first;
	TakenEntry expected = *first;

	do {
		++next;
		expected = { expected.old.moved(step), expected.backing + step.value() };
	} while (next != end && *next == expected);
	return static_cast<unsigned long>(next - first);
}

UserAddr user_of(const TakenEntry &entry)
{
	return Backing(entry.backing).user();
}

Result<void> as_result(Update outcome)
{
	return outcome == Update::Done ? Result<void>() : Result<void>(Errno::Io);
}

} /* namespace */

Result<void> Mapper::map(EntryRange range, UserAddr user, Direction direction) const
{
	const Region *first = TRY(check_backing(range, user));
	RegisteredMemory memory(m_context.registry, *first, user, m_page);

	return map_from(memory, range, TRY(reserve(range)), direction);
}

Result<void> Mapper::map(EntryRange range, PinnedPages &pages, Direction direction) const
{
	return map_from(pages, range, TRY(reserve(range)), direction);
}

/* Leaves are made as memory is found for them: who names more than he has gets no table for it. */
Result<void> Mapper::map(EntryRange range, PinnedStream &pages, Direction direction) const
{
	return map_from(pages, range, TRY(m_table.reserve(range.first)), direction);
}

template <typename Memory>
inline Result<void> Mapper::map_from(Memory &memory, EntryRange range, Leaf leaf,
				     Direction direction) const
{
	EntryRange left = range;
	kcxx::ScopeExit rollback([&] {
		/* What the hypervisor refuses to empty stays pinned. */
		kcxx::ignore(unmap({ range.first, left.first - range.first }));
	});

	for (;;) {
		TRY(memory.prepare());

		auto run = memory.run();
		Entries count = least(least(run.left(), longest_run), left.count, leaf.count());
		Filled filled = map_run(run, leaf, { left.first, count }, direction);

		left = { left.first + filled.count, left.count - filled.count };
		memory.advance(filled.count);
		TRY(filled.result);
		if (!left.count.value()) [[likely]]
			break;
		leaf = TRY(m_table.reserve(left.first));
		glue_cond_resched();
	}
	TRY(as_result(m_table.invalidate(range)));
	rollback.dismiss();
	return {};
}

Result<void> Mapper::unmap(EntryRange range) const
{
	Result<void> result;

	for (TceIndex at = range.first; at < range.end();) {
		Leaf leaf = m_table.find(at);
		EntryRange run = { at, leaf.count() };

		if (leaf.kind() != Leaf::Kind::Hole) {
			run.count = least(leaf.count(), range.end() - at, longest_run);

			EntryRange emptied = leaf.kind() == Leaf::Kind::InMemory
						     ? empty_in_memory(leaf, run)
						     : empty_by_operation(leaf, run);

			if (flush(emptied) == Update::Stale)
				result = Errno::Io;
		}
		at = run.end();
		if (at < range.end())
			glue_cond_resched();
	}
	m_table.flush_kvm();
	return result;
}

/* All of the memory is registered, and in pages that are at least as large as the table's. */
inline Result<const Region *> Mapper::check_backing(EntryRange range, UserAddr user) const
{
	const Region *first = m_context.registry.find(user);

	if (!first)
		return Errno::Invalid;
	if (pages_in(*first, user, m_page) < range.count ||
	    (m_page > kernel_page &&
	     !first->is_known_large(user, m_page.bytes(range.count), m_page))) [[unlikely]]
		TRY(check_regions(range.count, user));
	return first;
}

Result<void> Mapper::check_regions(Entries left, UserAddr user) const
{
	for (;;) {
		Region *region = m_context.registry.find(user);

		if (!region)
			return Errno::Invalid;

		Entries run = least(pages_in(*region, user, m_page), left);

		/* The region ends within an IOMMU page. */
		if (!run.value())
			return Errno::Invalid;

		Bytes size = m_page.bytes(run);

		if (m_page > kernel_page && !region->is_in_large_pages(user, size, m_page))
			return Errno::Invalid;
		left = left - run;
		if (!left.value())
			return {};
		user += size;
		glue_cond_resched();
	}
}

/* Makes all leaves of @range, and returns the first. */
inline Result<Leaf> Mapper::reserve(EntryRange range) const
{
	Leaf first = TRY(m_table.reserve(range.first));

	if (first.count() < range.count) [[unlikely]]
		TRY(reserve_all({ range.first + first.count(), range.count - first.count() }));
	return first;
}

Result<void> Mapper::reserve_all(EntryRange range) const
{
	for (TceIndex at = range.first; at < range.end();)
		at += TRY(m_table.reserve(at)).count();
	return {};
}

/* Maps successive memory into one leaf. */
template <MemoryRun Run>
inline Mapper::Filled Mapper::map_run(Run memory, Leaf leaf, EntryRange run,
				      Direction direction) const
{
	Filled filled = leaf.kind() == Leaf::Kind::InMemory
				? fill_in_memory(memory, leaf, run, direction)
				: fill_by_operation(memory, leaf, run, direction);
	Update outcome = flush({ run.first, filled.count });

	if (!filled.result.is_error())
		filled.result = as_result(outcome);
	return filled;
}

template <MemoryRun Run>
inline Mapper::Filled Mapper::fill_in_memory(Run memory, Leaf leaf, EntryRange run,
					     Direction direction) const
{
	const kcxx::BigEndian tce_bits(bits(m_table.permissions(direction)));
	AtomicBigEndian *const view = leaf.view();
	AtomicBigEndian *const tces = leaf.tces();
	const unsigned long count = run.count.value();
	unsigned long page = 0;
	Gathered::Writer gathered(m_context.gathered);
	KvmGate::Guard guard(m_table.gate());

	for (unsigned long i = 0; i < count; ++i, memory.step()) {
		Result<void> taken = memory.take(page);

		if (taken.is_error()) [[unlikely]]
			return { Entries(i), taken };
		if (!tces[i].is_zero()) [[unlikely]] {
			OldEntry old(tces[i].load());

			gathered.add(old, guard.taken_out(old, view[i].load()));
		}
		tces[i].store_word(kcxx::BigEndian::of_memory(page) | tce_bits);
		view[i].store(memory.backing().word());
	}
	return { run.count, {} };
}

template <MemoryRun Run>
[[gnu::noinline]] Mapper::Filled Mapper::fill_by_operation(Run memory, Leaf leaf, EntryRange run,
							   Direction direction) const
{
	AtomicBigEndian *const view = leaf.view();
	unsigned long page = 0;
	Gathered::Writer gathered(m_context.gathered);

	for (unsigned long i = 0; i < run.count.value(); ++i, memory.step()) {
		Result<void> taken = memory.take(page);

		if (taken.is_error())
			return { Entries(i), taken };

		Result<OldEntry> old =
			m_table.exchange(run.first + Entries(i), HostPhys(page), direction);

		if (old.is_error()) {
			memory.give_back();
			return { Entries(i), old.error() };
		}
		if (!old.value().is_empty())
			gathered.add(old.value(), view[i].load());
		view[i].store(memory.backing().word());
	}
	return { run.count, {} };
}

/*
 * These two empty what is mapped of @run in @leaf. They return the part of it that has all entries
 * that were not empty.
 */
inline EntryRange Mapper::empty_in_memory(Leaf leaf, EntryRange run) const
{
	AtomicBigEndian *const view = leaf.view();
	AtomicBigEndian *const tces = leaf.tces();
	const unsigned long count = run.count.value();
	Gathered::Writer gathered(m_context.gathered);
	KvmGate::Guard guard(m_table.gate());
	const unsigned long first = skip_empty(view, count);
	unsigned long end = first;

	for (unsigned long i = first; i < count; ++i) {
		unsigned long backing = view[i].load();

		/* Then the TCE is as empty. */
		if (!backing)
			continue;

		OldEntry old(tces[i].load());

		tces[i].store(0);
		view[i].store(0);
		gathered.add(old, guard.taken_out(old, backing));
		end = i + 1;
	}
	return { run.first + Entries(first), Entries(end - first) };
}

[[gnu::noinline]] EntryRange Mapper::empty_by_operation(Leaf leaf, EntryRange run) const
{
	AtomicBigEndian *const view = leaf.view();
	const unsigned long count = run.count.value();
	Gathered::Writer gathered(m_context.gathered);
	const unsigned long first = skip_empty(view, count);
	unsigned long end = first;

	for (unsigned long i = first; i < count; ++i) {
		unsigned long backing = view[i].load();

		if (!backing)
			continue;

		/* Emptying needs no memory and so cannot fail. */
		Result<OldEntry> old =
			m_table.exchange(run.first + Entries(i), HostPhys(0), Direction::None);

		if (old.is_error() || old.value().is_empty())
			continue;
		gathered.add(old.value(), empty_view(view[i], backing));
		end = i + 1;
	}
	return { run.first + Entries(first), Entries(end - first) };
}

Update Mapper::flush_gathered(EntryRange run) const
{
	Gathered &gathered = m_context.gathered;
	Update outcome = m_table.invalidate(run);

	if (outcome != Update::Stale)
		drop_all(gathered);
	gathered.forget();
	return outcome;
}

/* What was taken out of the table belongs to its region no longer, or needs its pin no longer. */
inline void Mapper::drop_all(const Gathered &gathered) const
{
	const TakenEntry *const end = gathered.end();

	for (const TakenEntry *at = gathered.begin(); at != end;) {
		if (Backing(at->backing).is_pinned()) [[unlikely]]
			at = drop_pinned(at, end);
		else
			at = drop_registered(at, end);
	}
}

/*
 * Drops @first and those after it that belong to the same region, and returns the next one. The
 * pages are marked first: when a count is dropped, the region can be released.
 */
inline const TakenEntry *Mapper::drop_registered(const TakenEntry *first,
						 const TakenEntry *end) const
{
	Owner owner = find_owner(user_of(*first));
	const TakenEntry *next = first + 1;

	while (next != end && owner.range.contains(user_of(*next)))
		++next;
	/* One of KVM's tasks does it, if the region is not known yet. */
	if (!owner.region) [[unlikely]]
		return next;

	unsigned long count = static_cast<unsigned long>(next - first);

	mark_pages_dirty(first, count);
	do {
		mm_iommu_mapped_dec(owner.region);
	} while (--count);
	return next;
}

/* The same of pages that were pinned, up to one that the device may do something else to. */
[[gnu::noinline]] const TakenEntry *Mapper::drop_pinned(const TakenEntry *first,
							const TakenEntry *end) const
{
	PinnedCensus &census = m_context.census;
	Unpinner unpinner(first->old.device_writes());

	while (first != end) {
		const HostPhys page = Backing(first->backing).page();

		if (!Backing(first->backing).is_pinned() ||
		    first->old.device_writes() != unpinner.device_wrote())
			break;
		/* Else KVM has taken the page out, and may be about to put it back. */
		if (first->old.page() != page) [[unlikely]] {
			++first;
			continue;
		}

		const unsigned long count = census.is_counting() ? 1 : run_of(first, end);

		unpinner.add(page, count);
		if (census.is_counting())
			census.remove(page);
		first += count;
	}
	return first;
}

inline Mapper::Owner Mapper::find_owner(UserAddr user) const
{
	const Region *region = m_context.registry.find(user);

	if (region) [[likely]]
		return { region->range(), region->kernel() };

	/* KVM maps all that the process has registered, be it by another container. */
	return { UserRange(), mm_iommu_lookup(m_context.mm, user.value(), m_page.size().value()) };
}

} /* namespace tce */

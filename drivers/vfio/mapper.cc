// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/mapper.h"

#include "arch/powerpc/kernel/kvm_gate.h"
#include "glue/mm.h"
#include "glue/sync.h"
#include "kcxx/scope_exit.h"

namespace tce {

namespace {

/* The length of a run, after which others are given way. */
Entries smallest(Entries a, Entries b, Entries c = Entries(Replaced::capacity))
{
	Entries ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Whole pages of size @page from @from to the end of @region. */
Entries pages_in(const Region &region, UserAddr from, PageShift page)
{
	return Entries((region.range().end() - from).value() >> page.value());
}

/*
 * A place in one region of registered memory. take() counts the page there for an entry and says
 * which one it is; backing() tells of the entry. give_back() is for when there is none after all.
 */
class RegisteredRun {
public:
	RegisteredRun(const Region &region, UserAddr user, PageShift page)
		: m_region(region.kernel()), m_user(user), m_page(page),
		  m_left(pages_in(region, user, page))
	{
	}

	/* To the end of the region. */
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
	RegisteredMemory(const MemoryRegistry &registry, UserAddr user, PageShift page)
		: m_registry(registry), m_user(user), m_page(page)
	{
	}

	RegisteredRun run() const
	{
		return RegisteredRun(*m_registry.find(m_user), m_user, m_page);
	}
	void advance(Entries count) { m_user += Bytes(count.value() << m_page.value()); }

private:
	const MemoryRegistry &m_registry;
	UserAddr m_user;
	PageShift m_page;
};

/*
 * Of a table of the kernel's: empties the view's word of an entry that was emptied, and returns
 * what was there: @seen, unless KVM has mapped something else in the meantime, and said so here.
 */
inline kcxx::BigEndian empty_view(AtomicBigEndian &view, kcxx::BigEndian seen)
{
	kcxx::BigEndian found = view.replace(seen, kcxx::BigEndian());

	if (found != seen)
		view.replace(found, kcxx::BigEndian());
	return found;
}

/* The least range that has all entries of a run that were added, in their order. */
class NonEmpty {
public:
	explicit NonEmpty(EntryRange run) : m_run(run), m_first(run.count.value()) {}

	void add(unsigned long place)
	{
		if (place < m_first)
			m_first = place;
		m_end = place + 1;
	}
	EntryRange range() const
	{
		return { m_run.first + Entries(m_first),
			 m_end ? Entries(m_end - m_first) : Entries(0) };
	}

private:
	EntryRange m_run;
	unsigned long m_first;
	unsigned long m_end = 0;
};

Result<void> all_reach(Reach reach)
{
	return reach == Reach::Current ? Result<void>() : Result<void>(Errno::Io);
}

} /* namespace */

Result<void> Mapper::map(EntryRange range, UserAddr user, Direction direction)
{
	TRY(check_backing(range, user));

	RegisteredMemory memory(m_registry, user, m_page);

	return map_from(memory, range, direction);
}

Result<void> Mapper::map(EntryRange range, PinnedPages &pages, Direction direction)
{
	return map_from(pages, range, direction);
}

template <typename Memory>
inline Result<void> Mapper::map_from(Memory &memory, EntryRange range, Direction direction)
{
	Leaf leaf = TRY(reserve(range));
	EntryRange left = range;
	kcxx::ScopeExit rollback([&] {
		static_cast<void>(unmap({ range.first, left.first - range.first }).is_error());
	});

	for (;;) {
		auto run = memory.run();
		Entries count = smallest(run.left(), smallest(left.count, leaf.count));
		Entries mapped;
		Result<void> result = map_run(run, leaf, { left.first, count }, direction, mapped);

		left = { left.first + mapped, left.count - mapped };
		memory.advance(mapped);
		TRY(result);
		if (!left.count.value())
			break;
		leaf = m_table.find(left.first);
		glue_cond_resched();
	}
	TRY(all_reach(m_table.invalidate(range)));
	rollback.dismiss();
	return {};
}

Result<void> Mapper::unmap(EntryRange range)
{
	Result<void> result;

	for (TceIndex at = range.first; at < range.end();) {
		Leaf leaf = m_table.find(at);
		EntryRange run = { at, leaf.count };

		if (leaf.view) {
			run.count = smallest(leaf.count, range.end() - at);
			if (empty_run(leaf, run) == Reach::Unknown)
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
Result<void> Mapper::check_backing(EntryRange range, UserAddr user) const
{
	Entries left = range.count;

	for (;;) {
		const Region *region = m_registry.find(user);

		if (!region)
			return Errno::Invalid;

		Entries run = smallest(pages_in(*region, user, m_page), left);

		/* The region ends within an IOMMU page. */
		if (!run.value())
			return Errno::Invalid;
		if (m_page > kernel_page)
			TRY(check_large_pages(*region, user, run));
		left = left - run;
		if (!left.value())
			return {};
		user += Bytes(run.value() << m_page.value());
		glue_cond_resched();
	}
}

/*
 * The kernel's own check takes a region for hugetlb that only begins so; a transparent hugepage
 * is no substitute, since it can be split.
 */
Result<void> Mapper::check_large_pages(const Region &region, UserAddr user, Entries count) const
{
	for (; count.value(); count = count - Entries(1), user += m_page.size()) {
		unsigned long hpa;

		if (mm_iommu_ua_to_hpa(region.kernel(), user.value(), m_page.value(), &hpa) ||
		    !m_page.divides(hpa) || !glue_is_hugetlb_page(hpa, m_page.value()))
			return Errno::Invalid;
	}
	return {};
}

/* Makes all leaves of @range, and returns the first. */
Result<Leaf> Mapper::reserve(EntryRange range) const
{
	Leaf first = TRY(m_table.reserve(range.first));

	for (TceIndex at = range.first + first.count; at < range.end();)
		at += TRY(m_table.reserve(at)).count;
	return first;
}

/* Maps memory that follows each other into one leaf. @mapped tells how far that came. */
template <typename Run>
Result<void> Mapper::map_run(Run memory, const Leaf &leaf, EntryRange run, Direction direction,
			     Entries &mapped)
{
	Result<void> filled = fill_run(memory, leaf, run, direction, mapped);
	Reach reach = settle({ run.first, mapped });

	TRY(filled);
	return all_reach(reach);
}

/* The same without what follows for the replaced entries. */
template <typename Run>
inline Result<void> Mapper::fill_run(Run &memory, const Leaf &leaf, EntryRange run,
				     Direction direction, Entries &mapped)
{
	const kcxx::BigEndian tce_bits(m_table.permissions(direction));
	const unsigned long count = run.count.value();
	AtomicBigEndian *const view = leaf.view;
	AtomicBigEndian *const tces = leaf.tces;
	unsigned long page = 0;
	unsigned long i = 0;
	kcxx::ScopeExit progress([&] { mapped = Entries(i); });
	Replaced::Writer replaced(m_replaced);

	if (!tces) {
		for (; i < count; ++i, memory.step()) {
			TRY(memory.take(page));

			Result<OldEntry> old =
				m_table.exchange(run.first + Entries(i), HostPhys(page), direction);

			if (old.is_error()) {
				memory.give_back();
				return old.error();
			}
			if (!old.value().is_empty())
				replaced.add(old.value(), view[i].load_word());
			view[i].store(memory.backing().word());
		}
		return {};
	}

	KvmGate::Guard guard(*m_table.gate());

	for (; i < count; ++i, memory.step()) {
		TRY(memory.take(page));

		OldEntry old(tces[i].load_word());

		tces[i].store_word(kcxx::BigEndian::of_memory(page) | tce_bits);
		if (!old.is_empty())
			replaced.add(old, guard.taken_out(old, view[i].load_word()));
		view[i].store(memory.backing().word());
	}
	return {};
}

/* Empties what is mapped of @run in @leaf. */
Reach Mapper::empty_run(const Leaf &leaf, EntryRange run)
{
	EntryRange emptied = leaf.tces ? empty_in_memory(leaf, run) : empty_by_operation(leaf, run);

	return settle(emptied);
}

/* These two return the part of @run that has all entries that were not empty. */
EntryRange Mapper::empty_in_memory(const Leaf &leaf, EntryRange run)
{
	Replaced::Writer replaced(m_replaced);
	NonEmpty non_empty(run);
	KvmGate::Guard guard(*m_table.gate());

	for (unsigned long i = 0; i < run.count.value(); ++i) {
		kcxx::BigEndian backing = leaf.view[i].load_word();

		/* Then the TCE is as empty. */
		if (backing.is_zero())
			continue;

		OldEntry old(leaf.tces[i].load_word());

		leaf.tces[i].store_word(kcxx::BigEndian());
		leaf.view[i].store_word(kcxx::BigEndian());
		replaced.add(old, guard.taken_out(old, backing));
		non_empty.add(i);
	}
	return non_empty.range();
}

EntryRange Mapper::empty_by_operation(const Leaf &leaf, EntryRange run)
{
	Replaced::Writer replaced(m_replaced);
	NonEmpty non_empty(run);

	for (unsigned long i = 0; i < run.count.value(); ++i) {
		kcxx::BigEndian backing = leaf.view[i].load_word();

		if (backing.is_zero())
			continue;

		/* Emptying needs no memory and so cannot fail. */
		Result<OldEntry> old =
			m_table.exchange(run.first + Entries(i), HostPhys(0), Direction::None);

		if (old.is_error() || old.value().is_empty())
			continue;
		replaced.add(old.value(), empty_view(leaf.view[i], backing));
		non_empty.add(i);
	}
	return non_empty.range();
}

/* Drops what was replaced in @run, once no PE has it cached any more. */
Reach Mapper::settle(EntryRange run)
{
	if (m_replaced.is_empty())
		return Reach::Current;

	Reach reach = m_table.invalidate(run);

	if (reach == Reach::Unknown)
		m_replaced.forget();
	else
		m_replaced.drop_all([&](const Replaced::Entry &entry) { drop(entry); });
	return reach;
}

/*
 * What an exchange took out of the table belongs to its region no longer. The page is marked
 * first: when the count is dropped, the region can be released.
 */
inline void Mapper::drop(const Replaced::Entry &entry)
{
	Backing backing(entry.backing.value_in_memory());

	if (backing.is_pinned()) {
		drop_pinned(entry.old, backing);
		return;
	}

	UserAddr user = backing.user();
	mm_iommu_table_group_mem_t *owner = m_last_owner && m_last_owner->range().contains(user)
						    ? m_last_owner->kernel()
						    : find_owner(user);

	/* One of KVM's tasks does it, if the region is not known yet. */
	if (!owner)
		return;
	if (entry.old.device_writes())
		glue_mark_page_dirty(entry.old.page().value());
	mm_iommu_mapped_dec(owner);
}

void Mapper::drop_pinned(OldEntry old, Backing backing)
{
	/* Else KVM has taken the page out, and may be about to put it back. */
	if (old.page() == backing.page())
		unpin(m_census, backing, old.device_writes());
}

mm_iommu_table_group_mem_t *Mapper::find_owner(UserAddr user)
{
	m_last_owner = m_registry.find(user);
	if (m_last_owner)
		return m_last_owner->kernel();

	/* KVM maps all that the process has registered, be it by another container. */
	return mm_iommu_lookup(m_mm, user.value(), m_page.size().value());
}

} /* namespace tce */

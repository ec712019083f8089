// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/mapper.h"

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
 * A place in one region of registered memory. take() counts the page there for an entry, of which
 * backing() tells; give_back() is for when there is no such entry after all.
 */
class RegisteredRun {
public:
	RegisteredRun(const Region &region, UserAddr user, PageShift page)
		: m_region(region.kernel()), m_user(user), m_page(page)
	{
	}

	Result<HostPhys> take() const
	{
		unsigned long hpa;

		TRY(Result<void>::from_kernel(
			mm_iommu_ua_to_hpa(m_region, m_user.value(), m_page.value(), &hpa)));
		TRY(Result<void>::from_kernel(mm_iommu_mapped_inc(m_region)));
		return HostPhys(hpa);
	}
	void give_back() const { mm_iommu_mapped_dec(m_region); }
	Backing backing() const { return Backing::registered(m_user); }
	void step() { m_user += m_page.size(); }

private:
	mm_iommu_table_group_mem_t *m_region;
	UserAddr m_user;
	PageShift m_page;
};

/* Registered memory from an address on, all of which is known to be registered. */
class RegisteredMemory {
public:
	RegisteredMemory(const MemoryRegistry &registry, UserAddr user, PageShift page)
		: m_registry(registry), m_region(registry.find(user)), m_user(user), m_page(page)
	{
	}

	RegisteredRun run() const { return RegisteredRun(*m_region, m_user, m_page); }
	/* To the end of the region. */
	Entries left() const { return pages_in(*m_region, m_user, m_page); }
	void advance(Entries count)
	{
		m_user += Bytes(count.value() << m_page.value());
		if (!m_region->range().contains(m_user))
			m_region = m_registry.find(m_user);
	}

private:
	const MemoryRegistry &m_registry;
	const Region *m_region;
	UserAddr m_user;
	PageShift m_page;
};

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
Result<void> Mapper::map_from(Memory &memory, EntryRange range, Direction direction)
{
	Leaf leaf = TRY(reserve(range));
	EntryRange left = range;
	kcxx::ScopeExit rollback([&] { unmap({ range.first, left.first - range.first }); });

	for (;;) {
		Entries run = smallest(memory.left(), smallest(left.count, leaf.count));
		Entries mapped;
		Result<void> result =
			map_run(memory.run(), leaf, { left.first, run }, direction, mapped);

		left = { left.first + mapped, left.count - mapped };
		memory.advance(mapped);
		TRY(result);
		if (!left.count.value())
			break;
		leaf = m_table.find(left.first);
		glue_cond_resched();
	}
	rollback.dismiss();
	m_table.invalidate(range);
	return {};
}

void Mapper::unmap(EntryRange range)
{
	for (TceIndex at = range.first; at < range.end();) {
		Leaf leaf = m_table.find(at);
		EntryRange run = { at, leaf.count };

		if (leaf.view) {
			run.count = smallest(leaf.count, range.end() - at);
			empty_run(leaf, run);
		}
		at = run.end();
		if (at < range.end())
			glue_cond_resched();
	}
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
	const unsigned long tce_bits = permissions(direction);
	const unsigned long count = run.count.value();
	AtomicBigEndian *const view = leaf.view;
	AtomicBigEndian *const tces = leaf.tces;
	unsigned long i = 0;
	kcxx::ScopeExit progress([&] {
		mapped = Entries(i);
		settle({ run.first, mapped });
	});

	if (!tces) {
		for (; i < count; ++i, memory.step()) {
			TRY(map_entry(memory, view[i], [&](HostPhys page) {
				return m_table.exchange(run.first + Entries(i), page, direction);
			}));
		}
		return {};
	}
	for (; i < count; ++i, memory.step()) {
		TRY(map_entry(memory, view[i], [&](HostPhys page) -> Result<OldEntry> {
			return OldEntry(tces[i].exchange(encode_tce(page, tce_bits)));
		}));
	}
	return {};
}

/* Maps the next page of @memory. @exchange(page) writes the TCE and returns the old one. */
template <typename Run, typename Exchange>
inline Result<void> Mapper::map_entry(const Run &memory, AtomicBigEndian &view, Exchange exchange)
{
	Result<OldEntry> old = exchange(TRY(memory.take()));

	if (old.is_error()) {
		memory.give_back();
		return old.error();
	}
	if (!old.value().is_empty())
		m_replaced.add(old.value(), Backing(view.load()));
	view.store(memory.backing().word());
	return {};
}

/* Empties what is mapped of @run in @leaf. */
void Mapper::empty_run(const Leaf &leaf, EntryRange run)
{
	const unsigned long count = run.count.value();
	unsigned long first = count;
	unsigned long end = 0;

	for (unsigned long i = 0; i < count; ++i) {
		bool emptied = empty_entry(leaf.view[i], [&]() -> Result<OldEntry> {
			if (leaf.tces)
				return OldEntry(leaf.tces[i].exchange(0));
			return m_table.exchange(run.first + Entries(i), HostPhys(0),
						Direction::None);
		});

		if (!emptied)
			continue;
		if (first == count)
			first = i;
		end = i + 1;
	}
	if (end)
		settle({ run.first + Entries(first), Entries(end - first) });
}

/* Empties one entry; @exchange() empties the TCE and returns the old one. */
template <typename Exchange>
inline bool Mapper::empty_entry(AtomicBigEndian &view, Exchange exchange)
{
	if (!view.load())
		return false;

	/* Emptying needs no memory and so cannot fail. */
	Result<OldEntry> old = exchange();

	if (old.is_error() || old.value().is_empty())
		return false;

	Backing backing(view.load());

	m_replaced.add(old.value(), backing);
	/* KVM may have mapped something else in the meantime, and said so here. */
	view.replace(backing.word(), 0);
	return true;
}

/* Drops what was replaced in @run, once no PE has it cached any more. */
void Mapper::settle(EntryRange run)
{
	if (m_replaced.is_empty())
		return;
	m_table.invalidate(run);
	m_replaced.drop_all([&](OldEntry old, Backing backing) { drop(old, backing); });
}

/*
 * What an exchange took out of the table belongs to its region no longer. The page is marked
 * first: when the count is dropped, the region can be released.
 */
inline void Mapper::drop(OldEntry old, Backing backing)
{
	if (backing.is_pinned()) {
		drop_pinned(old, backing);
		return;
	}

	UserAddr user = backing.user();
	mm_iommu_table_group_mem_t *owner = m_last_owner && m_last_owner->range().contains(user)
						    ? m_last_owner->kernel()
						    : find_owner(user);

	if (old.device_writes())
		glue_mark_page_dirty(old.page().value());
	if (owner)
		mm_iommu_mapped_dec(owner);
}

void Mapper::drop_pinned(OldEntry old, Backing backing)
{
	/* Else KVM has taken the page out, and may be about to put it back. */
	if (old.page() == backing.page())
		unpin(backing, old.device_writes());
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

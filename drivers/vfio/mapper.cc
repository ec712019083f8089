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

} /* namespace */

Result<void> Mapper::map(EntryRange range, UserAddr user, Direction direction)
{
	TRY(check_backing(range, user));

	Leaf leaf = TRY(reserve(range));
	EntryRange left = range;
	kcxx::ScopeExit rollback([&] { unmap({ range.first, left.first - range.first }); });

	for (;;) {
		const Region &region = *m_registry.find(user);
		Entries run = smallest(pages_in(region, user), smallest(left.count, leaf.count));
		Entries mapped;
		Result<void> result =
			map_run(region, leaf, { left.first, run }, user, direction, mapped);

		left = { left.first + mapped, left.count - mapped };
		TRY(result);
		if (!left.count.value())
			break;
		user += Bytes(mapped.value() << m_page.value());
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

		Entries run = smallest(pages_in(*region, user), left);

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

/* Maps memory of one region into one leaf. @mapped tells how far that came. */
Result<void> Mapper::map_run(const Region &region, const Leaf &leaf, EntryRange run, UserAddr user,
			     Direction direction, Entries &mapped)
{
	const unsigned long tce_bits = permissions(direction);
	const unsigned long count = run.count.value();
	const Bytes page_size = m_page.size();
	AtomicBigEndian *const view = leaf.view;
	AtomicBigEndian *const tces = leaf.tces;
	mm_iommu_table_group_mem_t *const owner = region.kernel();
	unsigned long i = 0;
	kcxx::ScopeExit progress([&] {
		mapped = Entries(i);
		settle({ run.first, mapped });
	});

	if (!tces) {
		for (; i < count; ++i, user += page_size) {
			TRY(map_entry(owner, view[i], user, [&](HostPhys page) {
				return m_table.exchange(run.first + Entries(i), page, direction);
			}));
		}
		return {};
	}
	for (; i < count; ++i, user += page_size) {
		TRY(map_entry(owner, view[i], user, [&](HostPhys page) -> Result<OldEntry> {
			return OldEntry(tces[i].exchange(encode_tce(page, tce_bits)));
		}));
	}
	return {};
}

/* Maps one page of the region @owner. @exchange(page) writes the TCE and returns the old one. */
template <typename Exchange>
inline Result<void> Mapper::map_entry(mm_iommu_table_group_mem_t *owner, AtomicBigEndian &view,
				      UserAddr user, Exchange exchange)
{
	unsigned long hpa;

	TRY(Result<void>::from_kernel(
		mm_iommu_ua_to_hpa(owner, user.value(), m_page.value(), &hpa)));
	TRY(Result<void>::from_kernel(mm_iommu_mapped_inc(owner)));

	Result<OldEntry> old = exchange(HostPhys(hpa));

	if (old.is_error()) {
		mm_iommu_mapped_dec(owner);
		return old.error();
	}
	if (!old.value().is_empty())
		m_replaced.add(old.value(), UserAddr(view.load()));
	view.store(user.value());
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

	unsigned long user = view.load();

	m_replaced.add(old.value(), UserAddr(user));
	/* KVM may have mapped something else in the meantime, and said so here. */
	view.replace(user, 0);
	return true;
}

/* Drops what was replaced in @run, once no PE has it cached any more. */
void Mapper::settle(EntryRange run)
{
	if (m_replaced.is_empty())
		return;
	m_table.invalidate(run);
	m_replaced.drop_all([&](OldEntry old, UserAddr user) { drop(old, user); });
}

/*
 * What an exchange took out of the table belongs to the region of @user no longer. The page is
 * marked first: when the count is dropped, the region can be released.
 */
inline void Mapper::drop(OldEntry old, UserAddr user)
{
	mm_iommu_table_group_mem_t *owner = m_last_owner && m_last_owner->range().contains(user)
						    ? m_last_owner->kernel()
						    : find_owner(user);

	if (old.device_writes())
		glue_mark_page_dirty(old.page().value());
	if (owner)
		mm_iommu_mapped_dec(owner);
}

mm_iommu_table_group_mem_t *Mapper::find_owner(UserAddr user)
{
	m_last_owner = m_registry.find(user);
	if (m_last_owner)
		return m_last_owner->kernel();

	/* KVM maps all that the process has registered, be it by another container. */
	return mm_iommu_lookup(m_mm, user.value(), m_page.size().value());
}

/* Whole IOMMU pages from @from to the end of @region. */
Entries Mapper::pages_in(const Region &region, UserAddr from) const
{
	return Entries((region.range().end() - from).value() >> m_page.value());
}

} /* namespace tce */

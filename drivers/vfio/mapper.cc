// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/mapper.h"

#include "glue/mm.h"
#include "glue/sync.h"
#include "kcxx/scope_exit.h"

namespace tce {

namespace {

/* Work between two offers to give way. */
constexpr Entries max_run{ 1024 };

Entries smallest(Entries a, Entries b, Entries c = max_run)
{
	Entries ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Collects emptied entries that follow each other, so that they are invalidated in one go. */
class Invalidation {
public:
	explicit Invalidation(const Table &table) : m_table(table) {}
	~Invalidation() { flush(); }

	void add(EntryRange run)
	{
		if (m_pending.count.value() && m_pending.end() == run.first) {
			m_pending.count += run.count;
			return;
		}
		flush();
		m_pending = run;
	}

private:
	void flush()
	{
		if (m_pending.count.value())
			m_table.invalidate(m_pending);
	}

	const Table &m_table;
	EntryRange m_pending = {};
};

} /* namespace */

Result<void> Mapper::map(EntryRange range, UserAddr user, Direction direction)
{
	TRY(check_backing(range, user));
	TRY(reserve_view(range));

	TceIndex at = range.first;
	kcxx::ScopeExit rollback([&] { unmap({ range.first, at - range.first }); });

	while (at != range.end()) {
		const Region &region = *m_registry.find(user);
		Entries run = smallest(pages_in(region, user), range.end() - at);

		TRY(map_run(region, at, user, smallest(run, m_table.geometry().left_in_leaf(at)),
			    direction));
		glue_cond_resched();
	}
	rollback.dismiss();
	m_table.invalidate(range);
	return {};
}

void Mapper::unmap(EntryRange range)
{
	Invalidation invalidation(m_table);

	empty(range, [&](EntryRange run) { invalidation.add(run); });
}

void Mapper::clear()
{
	empty(m_table.geometry().entries(), [](EntryRange) {});
}

/* All of the memory is registered, and in pages that are at least as large as the table's. */
Result<void> Mapper::check_backing(EntryRange range, UserAddr user) const
{
	Entries left = range.count;

	while (left.value()) {
		const Region *region = m_registry.find(user);

		if (!region)
			return Errno::Invalid;

		Entries run = smallest(pages_in(*region, user), left);

		/* The region ends within an IOMMU page. */
		if (!run.value())
			return Errno::Invalid;
		if (m_page > kernel_page)
			TRY(check_large_pages(*region, user, run));
		user += Bytes(run.value() << m_page.value());
		left = left - run;
		glue_cond_resched();
	}
	return {};
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

Result<void> Mapper::reserve_view(EntryRange range) const
{
	for (TceIndex at = range.first; at < range.end();
	     at += m_table.geometry().left_in_leaf(at)) {
		if (!m_table.view(at, true))
			return Errno::NoMemory;
	}
	return {};
}

/* Maps @count pages of one region into one leaf. @at and @user are past what was mapped. */
Result<void> Mapper::map_run(const Region &region, TceIndex &at, UserAddr &user, Entries count,
			     Direction direction)
{
	AtomicBigEndian *word = m_table.view(at, true);

	for (TceIndex end = at + count; at != end; at += Entries(1), ++word) {
		unsigned long hpa;

		TRY(Result<void>::from_kernel(
			mm_iommu_ua_to_hpa(region.kernel(), user.value(), m_page.value(), &hpa)));
		TRY(Result<void>::from_kernel(mm_iommu_mapped_inc(region.kernel())));

		Result<OldEntry> old = m_table.exchange(at, HostPhys(hpa), direction);

		if (old.is_error()) {
			mm_iommu_mapped_dec(region.kernel());
			return old.error();
		}
		if (old.value().direction != Direction::None)
			drop(old.value(), UserAddr(word->load()));
		word->store(user.value());
		user += m_page.size();
	}
	return {};
}

/* Empties @range run by run; @emptied gets each run from its first to its last emptied entry. */
template <typename Emptied> void Mapper::empty(EntryRange range, Emptied emptied)
{
	TceIndex at = range.first;

	while (at != range.end()) {
		Entries in_leaf = m_table.geometry().left_in_leaf(at);
		Entries left = range.end() - at;
		AtomicBigEndian *view = m_table.view(at, false);

		glue_cond_resched();
		if (!view) {
			at += in_leaf < left ? in_leaf : left;
			continue;
		}

		EntryRange run = { at, smallest(in_leaf, left) };
		TceIndex first_emptied;
		Entries count = empty_run(view, run, first_emptied);

		if (count.value())
			emptied(EntryRange{ first_emptied, count });
		at = run.end();
	}
}

/* Returns how many entries lie between the first and the last one emptied, both included. */
Entries Mapper::empty_run(AtomicBigEndian *word, EntryRange run, TceIndex &first_emptied)
{
	Entries span;

	for (TceIndex at = run.first; at != run.end(); at += Entries(1), ++word) {
		if (!word->load())
			continue;

		/* Emptying needs no memory and so cannot fail. */
		Result<OldEntry> old = m_table.exchange(at, HostPhys(0), Direction::None);

		if (old.is_error() || old.value().direction == Direction::None)
			continue;
		drop(old.value(), UserAddr(word->load()));
		word->store(0);
		if (!span.value())
			first_emptied = at;
		span = at - first_emptied + Entries(1);
	}
	return span;
}

/* What an exchange took out of the table belongs to the region of @user no longer. */
void Mapper::drop(OldEntry old, UserAddr user)
{
	if (!m_last_dropped || !m_last_dropped->range().contains(user))
		m_last_dropped = m_registry.find(user);

	/* KVM maps all that the process has registered, be it by another container. */
	mm_iommu_table_group_mem_t *region =
		m_last_dropped ? m_last_dropped->kernel()
			       : mm_iommu_lookup(m_mm, user.value(), m_page.size().value());

	if (region)
		mm_iommu_mapped_dec(region);
	if (device_writes(old.direction))
		glue_mark_page_dirty(old.page.value());
}

/* Whole IOMMU pages from @from to the end of @region. */
Entries Mapper::pages_in(const Region &region, UserAddr from) const
{
	return Entries((region.range().end() - from).value() >> m_page.value());
}

} /* namespace tce */

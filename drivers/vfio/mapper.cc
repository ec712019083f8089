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

/* Exchanges the entry in memory that we know the layout of. */
OldEntry exchange_word(AtomicBigEndian &word, HostPhys page, Direction direction)
{
	unsigned long old = word.exchange(encode_tce(page, direction));

	return { decode_page(old), decode_direction(old) };
}

} /* namespace */

Result<void> Mapper::map(EntryRange range, UserAddr user, Direction direction)
{
	TRY(check_backing(range, user));
	TRY(reserve(range));

	TceIndex at = range.first;
	kcxx::ScopeExit rollback([&] { unmap({ range.first, at - range.first }); });

	while (at != range.end()) {
		const Region &region = *m_registry.find(user);
		Leaf leaf = m_table.find(at);
		Entries run = smallest(pages_in(region, user), range.end() - at);
		Entries count = smallest(run, leaf.count);
		AtomicBigEndian *tce = leaf.tces;

		if (tce) {
			TRY(map_run(region, leaf.view, at, user, count,
				    [&](TceIndex, HostPhys page) -> Result<OldEntry> {
					    return exchange_word(*tce++, page, direction);
				    }));
		} else {
			TRY(map_run(region, leaf.view, at, user, count,
				    [&](TceIndex index, HostPhys page) {
					    return m_table.exchange(index, page, direction);
				    }));
		}
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

Result<void> Mapper::reserve(EntryRange range) const
{
	for (TceIndex at = range.first; at < range.end();)
		at += TRY(m_table.reserve(at)).count;
	return {};
}

/*
 * Maps @count pages of one region into one leaf, of which @word is the view. @at and @user are
 * past what was mapped. @exchange(index, page) writes the TCE and returns the old one.
 */
template <typename Exchange>
Result<void> Mapper::map_run(const Region &region, AtomicBigEndian *word, TceIndex &at,
			     UserAddr &user, Entries count, Exchange exchange)
{
	for (TceIndex end = at + count; at != end; at += Entries(1), ++word) {
		unsigned long hpa;

		TRY(Result<void>::from_kernel(
			mm_iommu_ua_to_hpa(region.kernel(), user.value(), m_page.value(), &hpa)));
		TRY(Result<void>::from_kernel(mm_iommu_mapped_inc(region.kernel())));

		Result<OldEntry> old = exchange(at, HostPhys(hpa));

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

	while (at < range.end()) {
		Leaf leaf = m_table.find(at);

		glue_cond_resched();
		if (!leaf.view) {
			at += leaf.count;
			continue;
		}

		EntryRange run = { at, smallest(leaf.count, range.end() - at) };
		EntryRange touched;
		AtomicBigEndian *tces = leaf.tces;

		if (tces) {
			touched =
				empty_run(leaf.view, run, [&](TceIndex index) -> Result<OldEntry> {
					return exchange_word(tces[(index - run.first).value()],
							     HostPhys(0), Direction::None);
				});
		} else {
			touched = empty_run(leaf.view, run, [&](TceIndex index) {
				return m_table.exchange(index, HostPhys(0), Direction::None);
			});
		}
		if (touched.count.value())
			emptied(touched);
		at = run.end();
	}
}

/*
 * Empties what is mapped of @run, which is in one leaf of which @word is the view. Returns the
 * range from the first to the last emptied entry.
 */
template <typename Exchange>
EntryRange Mapper::empty_run(AtomicBigEndian *word, EntryRange run, Exchange exchange)
{
	EntryRange touched = {};

	for (TceIndex at = run.first; at != run.end(); at += Entries(1), ++word) {
		if (!word->load())
			continue;

		/* Emptying needs no memory and so cannot fail. */
		Result<OldEntry> old = exchange(at);

		if (old.is_error() || old.value().direction == Direction::None)
			continue;
		drop(old.value(), UserAddr(word->load()));
		word->store(0);
		if (!touched.count.value())
			touched.first = at;
		touched.count = at - touched.first + Entries(1);
	}
	return touched;
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

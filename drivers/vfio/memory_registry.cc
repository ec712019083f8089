// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/memory_registry.h"

#include "kcxx/locked.h"
#include "kernel/mm.h"
#include "kernel/sync.h"

namespace tce {

namespace {

using OrphanList = kcxx::List<Region>;

constinit kcxx::Locked<OrphanList> orphans;

/* Asks for every orphan of the process to be put once more. */
void want_all_of(OrphanList &list, mm_struct *mm)
{
	for (Region &region : list) {
		if (region.mm() == mm)
			region.put_request.wanted = true;
	}
}

/* The next orphan that is to be put and that no other thread is putting; nullptr: there is none. */
Region *take_wanted(OrphanList &list, mm_struct *mm)
{
	for (Region &region : list) {
		Region::PutRequest &request = region.put_request;

		if (region.mm() != mm || !request.wanted || request.in_progress)
			continue;
		request = { .wanted = false, .in_progress = true };
		return &region;
	}
	return nullptr;
}

/*
 * Puts the orphans of the process that can be put. One that another thread is putting is left to
 * that thread, which tries again afterwards: its attempt may have been before the last TCE was
 * taken out.
 */
void put_orphans_of(mm_struct *mm)
{
	orphans.with([mm](OrphanList &list) { want_all_of(list, mm); });

	while (Region *region =
		       orphans.with([mm](OrphanList &list) { return take_wanted(list, mm); })) {
		kcxx::Owned<Region> destroyed;
		bool is_put = !region->put().is_error();

		orphans.with([&](OrphanList &list) {
			region->put_request.in_progress = false;
			if (!is_put)
				return;
			list.remove(*region);
			destroyed = kcxx::Owned<Region>(region);
		});
	}
}

} /* namespace */

void init_orphan_regions()
{
	orphans.init(GLUE_MUTEX_ORPHANS);
}

unsigned long count_orphans(const mm_struct *mm)
{
	return orphans.with([mm](OrphanList &list) {
		unsigned long count = 0;

		for (const Region &region : list)
			count += !mm || region.mm() == mm;
		return count;
	});
}

Result<UserRange> UserRange::of_pages(UserAddr start, Bytes size)
{
	if (!kernel_page.divides(start.value()) || !kernel_page.divides(size.value()) ||
	    !size.value())
		return Errno::Invalid;
	TRY(start.checked_add(size));
	return UserRange{ start, size };
}

Result<kcxx::Owned<Region>> Region::create(const AddressSpace &mm, UserRange range)
{
	kcxx::Owned<Region> region =
		TRY(kcxx::make_owned<Region>(AddressSpace::share(mm.get()), range));

	TRY(region->acquire());
	return region;
}

Result<void> Region::acquire()
{
	unsigned long start = m_range.start.value();
	unsigned long pages = pages_for(m_range.size).value();

	m_kernel = mm_iommu_get(mm(), start, pages);
	if (m_kernel)
		return {};

	/* The kernel would try, and print about it. */
	if (pages > glue_total_ram_pages())
		return Errno::NoMemory;

	long ret = mm_iommu_new(mm(), start, pages, &m_kernel);

	if (!ret)
		return {};

	/* Another container of the process can have made the same region in the meantime. */
	m_kernel = mm_iommu_get(mm(), start, pages);
	if (m_kernel)
		return {};

	/* The kernel returns how many pages it could pin, when these are some but not all. */
	return ret > 0 ? Errno::Fault : Error::from_kernel(ret);
}

bool Region::is_in_large_pages(UserAddr from, Bytes size, PageShift page)
{
	/* After which others are given way. */
	constexpr unsigned long many = 512;
	UserAddr end = from + size;
	unsigned long count = 0;

	if (is_known_large(from, size, page))
		return true;
	for (UserAddr at = from; at < end; at += page.size()) {
		if (!is_large_page(at, page))
			return false;
		if (++count % many == 0)
			glue_cond_resched();
	}
	if (page == m_large.page && from <= m_large.end && end >= m_large.start)
		m_large = { .start = from < m_large.start ? from : m_large.start,
			    .end = end > m_large.end ? end : m_large.end,
			    .page = page };
	else
		m_large = { .start = from, .end = end, .page = page };
	return true;
}

bool Region::is_large_page(UserAddr address, PageShift page) const
{
	unsigned long hpa;

	return !mm_iommu_ua_to_hpa(m_kernel, address.value(), page.value(), &hpa) &&
	       page.divides(hpa) && glue_is_hugetlb_page(hpa, page.value());
}

Result<void> Region::put()
{
	return Result<void>::from_kernel(mm_iommu_put(mm(), kernel()));
}

Result<void> MemoryRegistry::add(const AddressSpace &mm, UserRange range)
{
	unsigned long place = count_up_to(range.start);

	if (place && m_regions[place - 1]->range() == range)
		return Errno::Busy;
	if (!range.start.value())
		return Errno::Invalid;
	/* The kernel checks this too, but pins all pages first. */
	if (place && m_regions[place - 1]->range().end() > range.start)
		return Errno::Invalid;
	if (place < m_regions.size() && m_regions[place]->range().start < range.end())
		return Errno::Invalid;

	TRY(m_regions.reserve_one());
	m_regions.insert(place, TRY(Region::create(mm, range)));
	return {};
}

Result<void> MemoryRegistry::remove(UserRange range)
{
	unsigned long place = count_up_to(range.start);

	if (!place || m_regions[place - 1]->range() != range)
		return Errno::NoEntry;
	TRY(m_regions[place - 1]->put());
	m_regions.take(place - 1);
	return {};
}

void MemoryRegistry::close(const AddressSpace &mm)
{
	while (m_regions.size()) {
		kcxx::Owned<Region> region = m_regions.take(m_regions.size() - 1);

		if (region->put().is_error())
			orphans.with([&](OrphanList &list) { list.append(*region.release()); });
	}
	put_orphans_of(mm.get());
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/pinned_pages.h"

#include "kernel/sync.h"

namespace tce {

namespace {

/* Pages that are pinned by one call of the kernel, whose addresses are on the stack. */
constexpr unsigned long batch = 64;

/* Pages that a stream pins before it has them mapped. */
constexpr Entries stream_batch{ 512 };

} /* namespace */

Result<PinnedPages> PinnedPages::pin(PinnedCensus &census, UserAddr user, Entries count,
				     PageShift page, Direction direction)
{
	/* Only a kernel page of it would be pinned, and the device would reach all. */
	if (page > kernel_page)
		return Errno::NotPermitted;

	PinnedPages pages(census, TRY(kcxx::OwnedArray<Backing>::create(count.value())));
	const unsigned long stride = kcxx::power_of_two(kernel_page.value() - page.value());

	for (unsigned long first = 0; first < stride; ++first)
		TRY(pages.pin_every(stride, first, user, page, direction != Direction::ToDevice));
	TRY(pages.count());
	return pages;
}

PinnedPages::~PinnedPages()
{
	Unpinner unpinner(false);

	for (unsigned long i = m_mapped; i < m_pages.size(); ++i) {
		if (m_pages[i].is_nothing())
			continue;
		unpinner.add(m_pages[i].page());
		if (i < m_counted)
			m_census->remove(m_pages[i].page());
	}
}

/* When all are pinned. */
Result<void> PinnedPages::count()
{
	for (; m_counted < m_pages.size(); ++m_counted)
		TRY(m_census->add(m_pages[m_counted].page()));
	return m_census->charge();
}

/*
 * Pins the IOMMU pages @first, @first + @stride and so on. These are the ones that have the same
 * place in kernel pages that follow each other.
 */
Result<void> PinnedPages::pin_every(unsigned long stride, unsigned long first, UserAddr user,
				    PageShift page, bool device_writes)
{
	const unsigned long place_mask = kernel_page.size().value() - 1;
	unsigned long kernel_pages[batch];

	for (unsigned long at = first; at < m_pages.size();) {
		unsigned long address = (user + page.bytes(Entries(at))).value();
		unsigned long wanted = kcxx::divide_round_up(m_pages.size() - at, stride);
		long pinned = glue_pin_pages(address & ~place_mask, wanted < batch ? wanted : batch,
					     device_writes, kernel_pages);

		if (pinned <= 0)
			return pinned ? Error::from_kernel(pinned) : Errno::Fault;
		for (long i = 0; i < pinned; ++i, at += stride)
			m_pages[at] =
				Backing::pinned(HostPhys(kernel_pages[i] | (address & place_mask)));
		glue_cond_resched();
	}
	return {};
}

Result<void> PinnedStream::prepare()
{
	if (m_pages.left().value())
		return {};

	Entries count = least(m_left, stream_batch);

	m_pages = TRY(PinnedPages::pin(m_census, m_user, count, m_page, m_direction));
	m_user += m_page.bytes(count);
	m_left = m_left - count;
	return {};
}

} /* namespace tce */

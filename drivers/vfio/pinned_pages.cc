// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/pinned_pages.h"

#include "kernel/sync.h"

namespace tce {

namespace {

/* The most that are pinned by one call of the kernel, before others are given way. */
constexpr unsigned long most_at_once = 512;

/* Pages that a stream pins before it has them mapped. */
constexpr Entries stream_batch{ most_at_once };

/* Kernel pages whose addresses are on the stack. */
constexpr unsigned long batch = 64;

/* Pins kernel pages from @user on, @wanted at most, and puts their addresses there. */
Result<unsigned long> pin_some(UserAddr user, unsigned long wanted, bool device_writes,
			       unsigned long *addresses)
{
	long pinned = glue_pin_pages(user.value(), wanted, device_writes, addresses);

	if (pinned <= 0)
		return pinned ? Error::from_kernel(pinned) : Error(Errno::Fault);
	glue_cond_resched();
	return static_cast<unsigned long>(pinned);
}

} /* namespace */

Result<PinnedPages> PinnedPages::pin(PinnedCensus &census, UserAddr user, Entries count,
				     PageShift page, Direction direction)
{
	/* Only a kernel page of it would be pinned, and the device would reach all. */
	if (page > kernel_page)
		return Errno::NotPermitted;

	PinnedPages pages(census, TRY(kcxx::OwnedArray<unsigned long>::create(count.value())));
	const bool device_writes = direction != Direction::ToDevice;

	if (page == kernel_page)
		TRY(pages.pin_whole(user, device_writes));
	else
		TRY(pages.pin_parts(user, page, device_writes));
	TRY(pages.count());
	return pages;
}

PinnedPages::~PinnedPages()
{
	Unpinner unpinner(false);

	for (unsigned long i = m_mapped; i < m_pages.size(); ++i) {
		HostPhys page(m_pages[i]);

		if (!page.value())
			continue;
		unpinner.add(page, 1);
		if (i < m_counted)
			m_census->remove(page);
	}
}

/* When all are pinned. */
Result<void> PinnedPages::count()
{
	if (!m_census->is_counting())
		return {};
	for (; m_counted < m_pages.size(); ++m_counted)
		TRY(m_census->add(HostPhys(m_pages[m_counted])));
	return m_census->charge();
}

/* Pins kernel pages; each is one of the IOMMU's. */
Result<void> PinnedPages::pin_whole(UserAddr user, bool device_writes)
{
	for (unsigned long at = 0; at < m_pages.size();) {
		unsigned long left = m_pages.size() - at;

		at += TRY(pin_some(user + kernel_page.bytes(Entries(at)),
				   left < most_at_once ? left : most_at_once, device_writes,
				   &m_pages[at]));
	}
	return {};
}

/* Pins kernel pages that have several of the IOMMU's. */
Result<void> PinnedPages::pin_parts(UserAddr user, PageShift page, bool device_writes)
{
	const unsigned long stride = kcxx::power_of_two(kernel_page.value() - page.value());

	for (unsigned long first = 0; first < stride; ++first)
		TRY(pin_every(stride, first, user, page, device_writes));
	return {};
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
		unsigned long left = kcxx::divide_round_up(m_pages.size() - at, stride);
		unsigned long pinned =
			TRY(pin_some(UserAddr(address & ~place_mask), left < batch ? left : batch,
				     device_writes, kernel_pages));

		for (unsigned long i = 0; i < pinned; ++i, at += stride)
			m_pages[at] = kernel_pages[i] | (address & place_mask);
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

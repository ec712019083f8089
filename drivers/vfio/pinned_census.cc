// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/pinned_census.h"

namespace tce {

namespace {

/* Windows of v1 have pages of 4K. */
constexpr bool pages_differ = kernel_page > PageShift(12);

unsigned long number_of(HostPhys page)
{
	return kcxx::divided(page.value(), kernel_page.value());
}

} /* namespace */

Result<void> PinnedCensus::start(const AddressSpace &mm, Pages included)
{
	if (!pages_differ)
		return {};
	m_pages = glue_census_create();
	if (!m_pages)
		return Errno::NoMemory;
	m_mm = AddressSpace::share(mm.get());
	m_included = included.value();
	return {};
}

void PinnedCensus::stop()
{
	if (!m_pages)
		return;
	if (m_charged)
		account_locked_vm(m_mm.get(), m_charged, false);
	glue_census_destroy(m_pages);
	m_pages = nullptr;
	m_mm = AddressSpace();
	m_distinct = m_included = m_charged = 0;
}

Result<void> PinnedCensus::add(HostPhys page)
{
	int is_new = glue_census_add(m_pages, number_of(page));

	if (is_new < 0)
		return Error::from_kernel(is_new);
	if (is_new)
		++m_distinct;
	return {};
}

void PinnedCensus::remove(HostPhys page)
{
	if (!glue_census_remove(m_pages, number_of(page)))
		return;
	--m_distinct;
	/* Nothing is given back while there are counted pages that could not be charged. */
	if (m_charged && m_distinct < m_included + m_charged) {
		account_locked_vm(m_mm.get(), 1, false);
		--m_charged;
	}
}

Result<void> PinnedCensus::charge()
{
	if (m_distinct <= m_included + m_charged)
		return {};

	unsigned long more = m_distinct - m_included - m_charged;

	TRY(Result<void>::from_kernel(account_locked_vm(m_mm.get(), more, true)));
	m_charged += more;
	return {};
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/invalidation.h"

#include "glue/sync.h"

namespace tce {

namespace {

/*
 * Up to here PHB3 is told page by page and keeps what else the PE has cached; beyond, that costs
 * more than a tenth of the call. See Documentation/performance.rst.
 */
constexpr Entries most_pages_on_phb3{ 16 };

/* Values of PHB3's TCE kill register: what to kill, of which PE; a page by its bus address. */
constexpr unsigned long phb3_kill_pe = 1UL << 62;
constexpr unsigned long phb3_kill_page = 1UL << 61;
constexpr unsigned long phb3_pe_mask = 0xff;

struct Request {
	PageShift page;
	EntryRange range;
};

void invalidate_pages_on_phb3(const glue_pe &pe, PageShift page, EntryRange range)
{
	for (TceIndex at = range.first; at < range.end(); at += Entries(1)) {
		glue_phb3_write_tce_kill(&pe, phb3_kill_page | (pe.number & phb3_pe_mask) |
						      at.value() << page.value());
	}
}

/*
 * Later PHBs are never told page by page: they can drop such a kill when others are in progress
 * (erratum HW560152). Firmware that knows this makes one of the whole PE of it, older firmware does
 * not.
 */
void invalidate_in_pe(const glue_pe *pe, void *data)
{
	const Request &request = *static_cast<const Request *>(data);

	if (pe->tce_kill_register && request.range.count <= most_pages_on_phb3) {
		invalidate_pages_on_phb3(*pe, request.page, request.range);
	} else {
		/* It worked when the group came. */
		static_cast<void>(invalidate_pe(*pe));
	}
}

} /* namespace */

Result<void> invalidate_pe(const glue_pe &pe)
{
	if (pe.tce_kill_register) {
		glue_phb3_write_tce_kill(&pe, phb3_kill_pe | (pe.number & phb3_pe_mask));
		return {};
	}
	if (glue_opal_kill_pe(&pe))
		return Errno::Io;
	return {};
}

void invalidate_in_all_pes(iommu_table *table, PageShift page, EntryRange range)
{
	Request request = { page, range };

	glue_rcu_read_lock();
	glue_link_for_each(table, invalidate_in_pe, &request);
	glue_rcu_read_unlock();
}

} /* namespace tce */

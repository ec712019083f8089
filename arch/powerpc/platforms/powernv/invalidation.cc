// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/invalidation.h"

namespace tce {

namespace {

/*
 * Up to here a PE's cached entries are killed page by page, which costs the firmware one access to
 * the PHB for each; beyond, all that the PE has cached is killed with one. See
 * Documentation/performance.rst.
 */
constexpr Entries most_pages_to_kill{ 32 };

/* Values of PHB3's TCE kill register: what to kill, of which PE; a page by its bus address. */
constexpr unsigned long phb3_kill_pe = 1UL << 62;
constexpr unsigned long phb3_kill_page = 1UL << 61;
constexpr unsigned long phb3_pe_mask = 0xff;

struct Request {
	PageShift page;
	EntryRange range;
};

void invalidate_pages_by_register(const glue_pe &pe, unsigned long page_size, unsigned long address,
				  unsigned long pages)
{
	for (unsigned long i = 0; i < pages; ++i) {
		glue_phb3_write_tce_kill(&pe, phb3_kill_page | (pe.number & phb3_pe_mask) |
						      (address + i * page_size));
	}
}

void invalidate_in_pe(const glue_pe *pe, void *data)
{
	const Request &request = *static_cast<const Request *>(data);
	unsigned long page_size = request.page.size().value();
	unsigned long address = request.range.first.value() << request.page.value();
	unsigned long pages = request.range.count.value();

	if (request.range.count > most_pages_to_kill) {
		/* It worked when the group came. */
		static_cast<void>(invalidate_pe(*pe));
	} else if (pe->tce_kill_register) {
		invalidate_pages_by_register(*pe, page_size, address, pages);
	} else {
		glue_opal_kill_pages(pe, page_size, address, pages);
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

	glue_link_for_each(table, invalidate_in_pe, &request);
}

} /* namespace tce */

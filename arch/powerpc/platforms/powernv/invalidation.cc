// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/invalidation.h"

#include "glue/powernv.h"

namespace tce {

namespace {

/*
 * Up to here a PE's cached entries are killed page by page, which costs the firmware one access to
 * the PHB for each; beyond, all that the PE has cached is killed with one. See
 * Documentation/performance.rst.
 */
constexpr Entries most_pages_to_kill{ 32 };

struct Request {
	PageShift page;
	EntryRange range;
};

void kill_in_pe(const glue_pe *pe, void *data)
{
	const Request &request = *static_cast<const Request *>(data);

	if (request.range.count > most_pages_to_kill) {
		glue_opal_kill_pe(pe);
		return;
	}
	glue_opal_kill_pages(pe, request.page.size().value(),
			     request.range.first.value() << request.page.value(),
			     request.range.count.value());
}

} /* namespace */

void invalidate_in_all_pes(iommu_table *table, PageShift page, EntryRange range)
{
	Request request = { page, range };

	glue_link_for_each(table, kill_in_pe, &request);
}

} /* namespace tce */

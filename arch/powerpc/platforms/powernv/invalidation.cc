// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/invalidation.h"

#include "arch/powerpc/tce/traced.h"
#include "arch/powerpc/platforms/powernv/glue/phb3.h"

namespace tce {

namespace {

/*
 * Up to here PHB3 is told page by page and keeps what else the PE has cached; beyond, that costs
 * more than a tenth of the call. See Documentation/performance.rst.
 */
constexpr Entries most_pages_on_phb3{ 16 };

/* Values of PHB3's TCE kill register: what to kill, of which PE; a page by its bus address. */
constexpr unsigned long phb3_kill_pe = kcxx::power_of_two(62);
constexpr unsigned long phb3_kill_page = kcxx::power_of_two(61);
constexpr unsigned long phb3_pe_mask = 0xff;

/* @address and @size say what that is; 0: all of the PE. */
void kill_on_phb3(const glue_pe &pe, unsigned long what, Ioba address = Ioba(),
		  Bytes size = Bytes())
{
	glue_phb3_write_tce_kill(pe.tce_kill_register, what | (pe.number & phb3_pe_mask));
	if (is_traced()) [[unlikely]]
		glue_trace_invalidate(pe.phb, pe.number, address.value(), size.value(), 0);
}

} /* namespace */

Result<void> invalidate_pe(const glue_pe &pe)
{
	if (pe.tce_kill_register) {
		kill_on_phb3(pe, phb3_kill_pe);
		return {};
	}
	if (glue_opal_kill_pe(&pe))
		return Errno::Io;
	return {};
}

void invalidate_in_phb3(const glue_pe &pe, PageShift page, EntryRange range)
{
	if (range.count > most_pages_on_phb3) {
		kill_on_phb3(pe, phb3_kill_pe);
		return;
	}
	for (TceIndex at = range.first; at < range.end(); at += Entries(1))
		kill_on_phb3(pe, phb3_kill_page | page.address(at).value(), page.address(at),
			     page.size());
}

} /* namespace tce */

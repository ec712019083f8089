/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a PE see what has changed in a table of our own. Any context, no lock.
 *
 * On PHB3 by its TCE kill register, on later PHBs by the firmware.
 *
 * Source: OPAL API, OPAL_PCI_TCE_KILL; skiboot 7.0, "phb4/5: Escalate page-level TCE kills"; for
 * PHB3 arch/powerpc/platforms/powernv/pci-ioda.c.
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"
#include "arch/powerpc/platforms/powernv/glue/opal.h"
#include "kcxx/result.h"

namespace tce {

/* Takes back all TCEs that the PE has cached. -EIO: the firmware cannot do that for this PHB. */
Result<void> invalidate_pe(const glue_pe &pe);

/* The same of a PHB3, at least of the TCEs of @range, with pages of the size @page. */
void invalidate_in_phb3(const glue_pe &pe, PageShift page, EntryRange range);

/* Takes back all TCEs of a PE, not of a PHB3: the call worked when the group was attached. */
inline void invalidate_all_of(const glue_pe &pe)
{
	glue_opal_kill_pe(&pe);
}

/*
 * Takes back the TCEs of @range, which is not empty. Later PHBs than PHB3 are never told page by
 * page: they can drop such a kill when others are in progress (erratum HW560152). Firmware that
 * knows this makes one of the whole PE of it, older firmware does not.
 */
inline void invalidate_in_pe(const glue_pe &pe, PageShift page, EntryRange range)
{
	if (pe.tce_kill_register) [[unlikely]]
		invalidate_in_phb3(pe, page, range);
	else
		invalidate_all_of(pe);
}

} /* namespace tce */

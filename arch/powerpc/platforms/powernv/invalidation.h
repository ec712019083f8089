/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes the PEs that use a table of our own see what has changed in it. Any context, no lock.
 *
 * On PHB3 by its TCE kill register, on later PHBs by the firmware.
 *
 * Source: OPAL API, OPAL_PCI_TCE_KILL; skiboot 7.0, "phb4/5: Escalate page-level TCE kills"; for
 * PHB3 arch/powerpc/platforms/powernv/pci-ioda.c.
 */
#pragma once

#include "arch/powerpc/kernel/table.h"
#include "glue/powernv.h"

namespace tce {

/* Takes back all TCEs that the PE has cached. -EIO: the firmware cannot do that for this PHB. */
Result<void> invalidate_pe(const glue_pe &pe);

/* @page is the table's page size; @range is not empty. */
void invalidate_in_all_pes(iommu_table *table, PageShift page, EntryRange range);

} /* namespace tce */

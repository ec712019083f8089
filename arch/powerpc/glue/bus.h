/* SPDX-License-Identifier: GPL-2.0-only */
/* The PCI bus of a group. */
#ifndef GLUE_BUS_H
#define GLUE_BUS_H

#include "kernel/types.h"

GLUE_BEGIN

/* Bus addresses; both belong to it. */
struct glue_bus_range {
	unsigned long first;
	unsigned long last;
};

#define GLUE_MOST_MMIO_WINDOWS 3

/*
 * The MMIO windows of the PHB of @group: bus addresses that lead to its devices and not to memory.
 * Returns how many, 0 for a group without PCI devices. May sleep. Source: struct pci_controller
 * (asm/pci-bridge.h).
 */
unsigned int glue_mmio_windows(struct iommu_group *group,
			       struct glue_bus_range windows[GLUE_MOST_MMIO_WINDOWS]);

GLUE_END

#endif

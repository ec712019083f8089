/* SPDX-License-Identifier: GPL-2.0-only */
/* PowerNV: the firmware (OPAL), and which PE a group is. */
#ifndef GLUE_OPAL_H
#define GLUE_OPAL_H

#include "kernel/types.h"

GLUE_BEGIN

/*
 * A PE as OPAL names it, the NUMA node of its PHB, and, for a PHB3 only, the register that takes
 * back its cached TCEs. On other PHBs the firmware does that.
 */
struct glue_pe {
	unsigned long phb;
	unsigned int number;
	int node;
	void *tce_kill_register;
};

/* The firmware is OPAL: this is a PowerNV machine. */
bool glue_opal_is_firmware(void);

/*
 * Looks for OPAL's entry points, which the kernel does not export. Returns whether they were found.
 * At module load.
 */
bool glue_opal_find(void);
/* A line in the kernel log: there are no entry points, the kernel's own tables are used. */
void glue_opal_say_not_found(void);

/* The PE of a group's devices; false when it has no device of a PowerNV PHB. May sleep. */
bool glue_pe_of_group(struct iommu_group *group, struct glue_pe *pe);

/*
 * OPAL_PCI_MAP_PE_DMA_WINDOW: makes @table (of @levels, the top one of @size bytes) the PE's window
 * @num; @levels of 0 takes it away. Returns OPAL's code, 0 for success.
 */
long glue_opal_map_window(const struct glue_pe *pe, unsigned int num, unsigned int levels,
			  unsigned long table, unsigned long size, unsigned long page_size);

/* OPAL_PCI_TCE_KILL of all that the PE has cached. Returns OPAL's code. Any context. */
long glue_opal_kill_pe(const struct glue_pe *pe);

GLUE_END

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* pSeries partitions: the firmware's windows and the hypervisor's calls. */
#ifndef GLUE_PSERIES_H
#define GLUE_PSERIES_H

#include "glue/iommu.h"
#include "glue/types.h"

GLUE_BEGIN

/* A DMA window that the firmware has made; the hypervisor knows it by its LIOBN. */
struct glue_firmware_window {
	unsigned long liobn;
	unsigned long start;
	unsigned long size; /* bytes */
};

/* This is a partition: TCE tables are the hypervisor's. */
bool glue_papr_is_one(void);
/* The hypervisor has H_PUT_TCE_INDIRECT and H_STUFF_TCE. */
bool glue_papr_has_multi_tce(void);

/*
 * The window that the property "ibm,dma-window" of the group's node describes; false: there is
 * none. Source: LoPAR, "ibm,dma-window". May sleep.
 */
bool glue_papr_default_window(struct iommu_group *group, struct glue_firmware_window *window);

/* Of any table of a partition. */
unsigned long glue_table_liobn(struct iommu_table *table);

/* --- the hypervisor -------------------------------------------------------------------------- */

/*
 * Any context. 0 for success (H_SUCCESS) or the hypervisor's code. @address: the bus address of
 * the first entry; @list: 4 KiB, aligned, with @count big-endian TCEs, up to 512.
 */
long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce);
long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count);
long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count);

GLUE_END

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* pSeries partitions: the firmware's windows, our tables of them, and the hypervisor's calls. */
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
bool glue_partition_is_one(void);
/* The hypervisor has H_PUT_TCE_INDIRECT and H_STUFF_TCE. */
bool glue_partition_has_multi_tce(void);

/*
 * The window that the property "ibm,dma-window" of the group's node describes; false: there is
 * none. Source: LoPAR, "ibm,dma-window". May sleep.
 */
bool glue_partition_default_window(struct iommu_group *group, struct glue_firmware_window *window);

/* --- struct iommu_table ---------------------------------------------------------------------- */

/*
 * A table with our operations, of the given shape, and one reference, which iommu_tce_table_put()
 * gives back. It keeps this module loaded. @platform_table: the kernel's own table of the same
 * window, or NULL. NULL without memory. May sleep.
 */
struct iommu_table *glue_partition_table_create(const struct glue_table_geometry *geometry,
						unsigned long liobn, unsigned long allocated_size,
						struct iommu_table *platform_table);
/* Of any table of a partition. */
unsigned long glue_table_liobn(struct iommu_table *table);

/* These two are of a table from glue_partition_table_create(). */
struct iommu_table *glue_partition_table_platform(struct iommu_table *table);
/* 4 KiB, aligned, for H_PUT_TCE_INDIRECT; under the table's lock. */
void *glue_partition_table_list(struct iommu_table *table);

/* --- the hypervisor -------------------------------------------------------------------------- */

/*
 * Any context. 0 for success (H_SUCCESS) or the hypervisor's code. @address: the bus address of
 * the first entry; @list: as glue_partition_table_list(), @count big-endian TCEs, up to 512.
 */
long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce);
long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count);
long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count);

GLUE_END

#endif

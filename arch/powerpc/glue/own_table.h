/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables (struct iommu_table) of our own, of any platform. */
#ifndef GLUE_OWN_TABLE_H
#define GLUE_OWN_TABLE_H

#include "arch/powerpc/glue/iommu.h"
#include "kernel/types.h"

GLUE_BEGIN

/*
 * What KVM and the kernel call for such a table: see struct iommu_table_ops; the exchange never
 * fails. Any context, no lock.
 */
struct glue_own_table_ops {
	void (*exchange)(struct iommu_table *table, unsigned long index, unsigned long *hpa,
			 unsigned int *direction);
	void *(*view)(struct iommu_table *table, unsigned long index, bool allocate);
	void (*kill)(struct iommu_table *table, unsigned long index, unsigned long pages);
	/* The last reference is gone. */
	void (*free)(struct iommu_table *table);
};

/*
 * A table with our operations, of the given shape, and one reference, which iommu_tce_table_put()
 * gives back. It keeps this module loaded. @liobn: by which a hypervisor knows it, or 0. @object:
 * the C++ object (OwnTable) that belongs to it. NULL without memory. May sleep.
 */
struct iommu_table *glue_own_table_create(const struct glue_table_geometry *geometry,
					  unsigned long liobn, unsigned long allocated_size,
					  const struct glue_own_table_ops *ops, void *object);
/* The C++ object of a table of our own. */
void *glue_own_table_object(struct iommu_table *table);

GLUE_END

#endif

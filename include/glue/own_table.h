/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables (struct iommu_table) of our own, of any platform. */
#ifndef GLUE_OWN_TABLE_H
#define GLUE_OWN_TABLE_H

#include "glue/types.h"

GLUE_BEGIN

/* What the C++ code keeps with a table of our own; NULL until it is set. */
void *glue_own_table_gate(struct iommu_table *table);
/* Before anyone else knows the table. */
void glue_own_table_set_gate(struct iommu_table *table, void *gate);

/*
 * Implemented in C++: what KVM and the kernel call. Any context, no lock. See struct
 * iommu_table_ops; the exchange never fails.
 */
void tce_own_table_exchange(struct iommu_table *table, unsigned long index, unsigned long *hpa,
			    unsigned int *direction);
void *tce_own_table_view(struct iommu_table *table, unsigned long index, bool allocate);
void tce_own_table_kill(struct iommu_table *table, unsigned long index, unsigned long pages);
/* The last reference is gone. */
void tce_own_table_free(struct iommu_table *table);

GLUE_END

#endif

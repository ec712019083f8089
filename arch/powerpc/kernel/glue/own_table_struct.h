/* SPDX-License-Identifier: GPL-2.0-only */
/* What the platforms share whose tables (struct iommu_table) are our own. */
#ifndef OWN_TABLE_STRUCT_H
#define OWN_TABLE_STRUCT_H

#include <asm/iommu.h>

#include "glue/iommu.h"

/* The kernel frees this by its first member. */
struct own_table {
	struct iommu_table table;
	void *gate;
};

/* Makes @own, which is zeroed, a table of the given shape with @ops and one reference. */
void own_table_init(struct own_table *own, const struct glue_table_geometry *geometry,
		    unsigned long allocated_size, struct iommu_table_ops *ops);

/* For the platforms' struct iommu_table_ops. */
int own_table_exchange(struct iommu_table *table, long index, unsigned long *hpa,
		       enum dma_data_direction *direction);
__be64 *own_table_view(struct iommu_table *table, long index, bool allocate);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the platforms share whose tables (struct iommu_table) are our own. */
#ifndef GLUE_OWN_TABLE_H
#define GLUE_OWN_TABLE_H

#include <asm/iommu.h>

#include "glue/iommu.h"

/* Makes @table, which is zeroed, one of the given shape with @ops and one reference. */
void own_table_init(struct iommu_table *table, const struct glue_table_geometry *geometry,
		    unsigned long allocated_size, struct iommu_table_ops *ops);

/*
 * Operations of a table that is hidden from KVM: they change nothing. Its entries can be seen, its
 * view seems to be empty and cannot be added to. For the platforms' struct iommu_table_ops.
 */
int hidden_table_exchange(struct iommu_table *table, long index, unsigned long *hpa,
			  enum dma_data_direction *direction);
__be64 *hidden_table_view(struct iommu_table *table, long index, bool allocate);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations of a table that is hidden from KVM: they change nothing. Its entries can be seen, its
 * view seems to be empty and cannot be added to. For the platforms' struct iommu_table_ops.
 */
#ifndef GLUE_HIDDEN_TABLE_H
#define GLUE_HIDDEN_TABLE_H

#include <asm/iommu.h>

int hidden_table_exchange(struct iommu_table *table, long index, unsigned long *hpa,
			  enum dma_data_direction *direction);
__be64 *hidden_table_view(struct iommu_table *table, long index, bool allocate);

#endif

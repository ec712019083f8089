// SPDX-License-Identifier: GPL-2.0-only
#include "hidden_table.h"

#include "glue/levels.h"

int hidden_table_exchange(struct iommu_table *table, long index, unsigned long *hpa,
			  enum dma_data_direction *direction)
{
	unsigned int old_direction = *direction;
	int ret = tce_hidden_exchange(table, index, hpa, &old_direction);

	*direction = old_direction;
	return ret;
}

__be64 *hidden_table_view(struct iommu_table *table, long index, bool allocate)
{
	static __be64 nothing;

	return allocate ? NULL : &nothing;
}

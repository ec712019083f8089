// SPDX-License-Identifier: GPL-2.0-only
#include "own_table.h"

#include <linux/kref.h>
#include <linux/rculist.h>

#include <asm/tce.h>

#include "glue/levels.h"

void own_table_init(struct iommu_table *table, const struct glue_table_geometry *geometry,
		    unsigned long allocated_size, struct iommu_table_ops *ops)
{
	table->it_ops = ops;
	table->it_type = TCE_PCI;
	table->it_nid = geometry->node;
	table->it_offset = geometry->offset;
	table->it_size = geometry->size;
	table->it_page_shift = geometry->page_shift;
	table->it_indirect_levels = geometry->indirect_levels;
	table->it_level_size = geometry->level_size;
	table->it_allocated_size = allocated_size;
	table->it_base = (unsigned long)geometry->base;
	INIT_LIST_HEAD_RCU(&table->it_group_list);
	kref_init(&table->it_kref);
}

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

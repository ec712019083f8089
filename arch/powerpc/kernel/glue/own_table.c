// SPDX-License-Identifier: GPL-2.0-only
#include "own_table_struct.h"

#include <linux/kref.h>
#include <linux/rculist.h>

#include <asm/tce.h>

#include "glue/own_table.h"

void own_table_init(struct own_table *own, const struct glue_table_geometry *geometry,
		    unsigned long allocated_size, struct iommu_table_ops *ops)
{
	struct iommu_table *table = &own->table;

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

void *glue_own_table_gate(struct iommu_table *table)
{
	return container_of(table, struct own_table, table)->gate;
}

void glue_own_table_set_gate(struct iommu_table *table, void *gate)
{
	container_of(table, struct own_table, table)->gate = gate;
}

int own_table_exchange(struct iommu_table *table, long index, unsigned long *hpa,
		       enum dma_data_direction *direction)
{
	unsigned int old_direction = *direction;

	tce_own_table_exchange(table, index, hpa, &old_direction);
	*direction = old_direction;
	return 0;
}

__be64 *own_table_view(struct iommu_table *table, long index, bool allocate)
{
	return (__force __be64 *)tce_own_table_view(table, index, allocate);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Tables (struct iommu_table) of our own. */
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include <asm/iommu.h>
#include <asm/tce.h>

#include "arch/powerpc/glue/own_table.h"

/* The kernel frees this by its first member. */
struct own_table {
	struct iommu_table table;
	const struct glue_own_table_ops *ops;
	void *object;
};

static struct own_table *own_of(struct iommu_table *table)
{
	return container_of(table, struct own_table, table);
}

void *glue_own_table_object(struct iommu_table *table)
{
	return own_of(table)->object;
}

static int exchange(struct iommu_table *table, long index, unsigned long *hpa,
		    enum dma_data_direction *direction)
{
	unsigned int old_direction = *direction;

	own_of(table)->ops->exchange(table, index, hpa, &old_direction);
	*direction = old_direction;
	return 0;
}

static __be64 *view(struct iommu_table *table, long index, bool allocate)
{
	return (__force __be64 *)own_of(table)->ops->view(table, index, allocate);
}

static void kill_cached(struct iommu_table *table, unsigned long index, unsigned long pages)
{
	own_of(table)->ops->kill(table, index, pages);
}

static void free_table(struct iommu_table *table)
{
	own_of(table)->ops->free(table);
	module_put(THIS_MODULE);
}

static struct iommu_table_ops own_table_ops = {
	.xchg_no_kill = exchange,
	.tce_kill = kill_cached,
	.useraddrptr = view,
	.free = free_table,
};

struct iommu_table *glue_own_table_create(const struct glue_table_geometry *geometry,
					  unsigned long liobn, unsigned long allocated_size,
					  const struct glue_own_table_ops *ops, void *object)
{
	struct own_table *own = kzalloc_node(sizeof(*own), GFP_KERNEL_ACCOUNT, geometry->node);
	struct iommu_table *table;

	if (!own)
		return NULL;
	__module_get(THIS_MODULE);
	own->ops = ops;
	own->object = object;
	table = &own->table;
	table->it_ops = &own_table_ops;
	table->it_type = TCE_PCI;
	table->it_index = liobn;
	table->it_nid = geometry->node;
	table->it_offset = geometry->offset;
	table->it_size = geometry->size;
	table->it_page_shift = geometry->page_shift;
	table->it_indirect_levels = geometry->indirect_levels;
	table->it_level_size = geometry->level_size;
	table->it_allocated_size = allocated_size;
	table->it_base = (unsigned long)geometry->base;
	/* Stays empty: only code of the kernel's own platform puts groups on it. */
	INIT_LIST_HEAD_RCU(&table->it_group_list);
	kref_init(&table->it_kref);
	return table;
}

// SPDX-License-Identifier: GPL-2.0-only
/* PowerNV: tables of our own, their links to groups. */
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include <asm/iommu.h>
#include <asm/tce.h>

#include "glue/own_table.h"
#include "glue/powernv.h"

#include "arch/powerpc/kernel/glue/own_table_struct.h"

static void free_table(struct iommu_table *table)
{
	tce_own_table_free(table);
	module_put(THIS_MODULE);
}

static struct iommu_table_ops powernv_table_ops = {
	.xchg_no_kill = own_table_exchange,
	.tce_kill = tce_own_table_kill,
	.useraddrptr = own_table_view,
	.free = free_table,
};

struct iommu_table *glue_table_create(const struct glue_table_geometry *geometry,
				      unsigned long allocated_size)
{
	struct own_table *own = kzalloc_node(sizeof(*own), GFP_KERNEL_ACCOUNT, geometry->node);

	if (!own)
		return NULL;
	__module_get(THIS_MODULE);
	own_table_init(own, geometry, allocated_size, &powernv_table_ops);
	return &own->table;
}

/* The kernel's own link comes first: its platform code can take our links off a list. */
struct glue_link {
	struct iommu_table_group_link link;
	struct glue_pe pe;
};

struct glue_link *glue_link_alloc(const struct glue_pe *pe)
{
	struct glue_link *link = kzalloc_node(sizeof(*link), GFP_KERNEL_ACCOUNT, pe->node);

	if (link)
		link->pe = *pe;
	return link;
}

void glue_link_free(struct glue_link *link)
{
	kfree(link);
}

void glue_link_add(struct iommu_table *table, struct iommu_table_group *group,
		   struct glue_link *link)
{
	link->link.table_group = group;
	list_add_rcu(&link->link.next, &table->it_group_list);
}

static struct glue_link *find_link(struct iommu_table *table, struct iommu_table_group *group)
{
	struct glue_link *link;

	list_for_each_entry(link, &table->it_group_list, link.next)
	{
		if (link->link.table_group == group)
			return link;
	}
	return NULL;
}

bool glue_link_find(struct iommu_table *table, struct iommu_table_group *group, struct glue_pe *pe)
{
	struct glue_link *link = find_link(table, group);

	if (link)
		*pe = link->pe;
	return link;
}

void glue_link_remove(struct iommu_table *table, struct iommu_table_group *group)
{
	struct glue_link *link = find_link(table, group);

	list_del_rcu(&link->link.next);
	kfree_rcu(link, link.rcu);
}

void glue_link_for_each(struct iommu_table *table,
			void (*visit)(const struct glue_pe *pe, void *data), void *data)
{
	struct glue_link *link;

	list_for_each_entry_lockless(link, &table->it_group_list, link.next) visit(&link->pe, data);
}

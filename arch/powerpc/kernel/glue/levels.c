// SPDX-License-Identifier: GPL-2.0-only
/* The blocks that our own tables and their userspace views are made of. */
#include <linux/gfp.h>
#include <linux/mm.h>

#include <asm/iommu.h>

#include "glue/levels.h"

void *glue_level_alloc(int node, unsigned long size, bool may_sleep)
{
	gfp_t flags = may_sleep ? GFP_KERNEL_ACCOUNT : GFP_NOWAIT | __GFP_ACCOUNT;
	struct page *page =
		alloc_pages_node(node, flags | __GFP_ZERO | __GFP_NOWARN, get_order(size));

	return page ? page_address(page) : NULL;
}

void glue_level_free(void *block, unsigned long size)
{
	free_pages((unsigned long)block, get_order(size));
}

void *glue_table_view_root(struct iommu_table *table)
{
	return (__force void *)smp_load_acquire(&table->it_userspace);
}

void *glue_table_publish_view_root(struct iommu_table *table, void *root)
{
	void *old = (__force void *)cmpxchg(&table->it_userspace, NULL, (__force __be64 *)root);

	return old ? old : root;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The blocks that our own tables and their userspace views are made of. */
#include <linux/gfp.h>
#include <linux/mm.h>

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

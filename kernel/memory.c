// SPDX-License-Identifier: GPL-2.0-only
/* Kernel memory and the user's memory. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kernel/memory.h"

void *glue_alloc(unsigned long size)
{
	return kmalloc(size, GFP_KERNEL_ACCOUNT);
}

void *glue_alloc_nowait(unsigned long size)
{
	return kmalloc(size, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
}

void glue_free(void *memory)
{
	kfree(memory);
}

void glue_free_after_readers(void *memory)
{
	kfree_rcu_mightsleep(memory);
}

void *glue_alloc_array(unsigned long count, unsigned long size)
{
	return kvmalloc_array(count, size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

void glue_free_array(void *array)
{
	kvfree(array);
}

void *glue_alloc_block(int node, unsigned long size, bool may_sleep)
{
	gfp_t flags = may_sleep ? GFP_KERNEL_ACCOUNT : GFP_NOWAIT | __GFP_ACCOUNT;
	struct page *page =
		alloc_pages_node(node, flags | __GFP_ZERO | __GFP_NOWARN, get_order(size));

	return page ? page_address(page) : NULL;
}

void glue_free_block(void *block, unsigned long size)
{
	free_pages((unsigned long)block, get_order(size));
}

unsigned long glue_copy_from_user(void *to, unsigned long user_address, unsigned long size)
{
	return _copy_from_user(to, (void __user *)user_address, size);
}

unsigned long glue_copy_to_user(unsigned long user_address, const void *from, unsigned long size)
{
	return _copy_to_user((void __user *)user_address, from, size);
}

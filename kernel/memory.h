/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel memory and the user's memory. */
#ifndef GLUE_MEMORY_H
#define GLUE_MEMORY_H

#include "kernel/types.h"

GLUE_BEGIN

/* @size bytes, charged to the caller's memory cgroup; NULL when there are none. May sleep. */
void *glue_alloc(unsigned long size);
/* The same for any context: quietly, and without the reserves. */
void *glue_alloc_nowait(unsigned long size);
/* Of these two, or NULL. */
void glue_free(void *memory);

/* As glue_free(), once every RCU reader that may hold the pointer is done. May sleep. */
void glue_free_after_readers(void *memory);

/* The same for arrays of any length: @count * @size is checked. May sleep. */
void *glue_alloc_array(unsigned long count, unsigned long size);
void glue_free_array(void *array);

/*
 * A zeroed, naturally aligned block of @size bytes (a power of two, at least a page) on @node, or
 * NULL, quietly. Charged to the caller's memory cgroup. May sleep if @may_sleep.
 */
void *glue_alloc_block(int node, unsigned long size, bool may_sleep);
/* Any context. */
void glue_free_block(void *block, unsigned long size);

/*
 * Copies between @size bytes and the current process; returns how many were not copied. May sleep.
 * The kernel's own functions, without the check of a size that is not a constant: they all are.
 */
unsigned long glue_copy_from_user(void *to, unsigned long user_address, unsigned long size);
unsigned long glue_copy_to_user(unsigned long user_address, const void *from, unsigned long size);

GLUE_END

#endif

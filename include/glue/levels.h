/* SPDX-License-Identifier: GPL-2.0-only */
/* The blocks that our own tables and their userspace views are made of. */
#ifndef GLUE_LEVELS_H
#define GLUE_LEVELS_H

#include "glue/types.h"

GLUE_BEGIN

/*
 * A zeroed, naturally aligned block of @size bytes (a power of two, at least a page) on @node, or
 * NULL, quietly. Charged to the caller's memory cgroup. May sleep if @may_sleep.
 */
void *glue_level_alloc(int node, unsigned long size, bool may_sleep);
/* Any context. */
void glue_level_free(void *block, unsigned long size);

GLUE_END

#endif

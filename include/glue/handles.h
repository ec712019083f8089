/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers that stand for objects (an XArray). A number is not used again before 2^32 others were.
 */
#ifndef GLUE_HANDLES_H
#define GLUE_HANDLES_H

#include "glue/types.h"

GLUE_BEGIN

/* A new number, never 0, for @object. 0 or a negative errno. May sleep. */
int glue_handle_insert(void *object, unsigned long *handle);
/* The object of @handle or NULL. Under glue_rcu_read_lock(). */
void *glue_handle_load(unsigned long handle);
void glue_handle_remove(unsigned long handle);

/*
 * Objects in use: glue_objects_wait() returns when as many were dropped as were added, and
 * no CPU runs the dropping code any more. For the module's unload.
 */
void glue_objects_add(void);
void glue_objects_drop(void);
void glue_objects_wait(void);

GLUE_END

#endif

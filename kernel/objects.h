/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects in use: glue_objects_wait() returns when as many were dropped as were added, and
 * no CPU runs the dropping code any more. For the module's unload.
 */
#ifndef GLUE_OBJECTS_H
#define GLUE_OBJECTS_H

#include "kernel/types.h"

GLUE_BEGIN

void glue_objects_add(void);
void glue_objects_drop(void);
void glue_objects_wait(void);

GLUE_END

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* A count for each page that has one, by page number (an XArray). */
#ifndef GLUE_CENSUS_H
#define GLUE_CENSUS_H

#include "kernel/types.h"

GLUE_BEGIN

struct glue_census;

/* NULL without memory. May sleep. */
struct glue_census *glue_census_create(void);
/* With all that is still in it. */
void glue_census_destroy(struct glue_census *census);

/*
 * Counts @page once more. 1: for the first time; 0: it was counted before; -ENOMEM, not counted.
 * May sleep.
 */
int glue_census_add(struct glue_census *census, unsigned long page);
/* Takes back one count of @page; true: that was the last one. Needs no memory. */
bool glue_census_remove(struct glue_census *census, unsigned long page);

GLUE_END

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts pages: which there are, and how often each was counted (an XArray by page number). */
#ifndef GLUE_CENSUS_H
#define GLUE_CENSUS_H

#include "kernel/types.h"

GLUE_BEGIN

struct glue_census;

/* NULL without memory. May sleep. */
struct glue_census *glue_census_create(void);
/* With all that is still in it. */
void glue_census_destroy(struct glue_census *census);

/* Counts @page once more. 1: it was not there yet; 0; -ENOMEM, not counted. May sleep. */
int glue_census_add(struct glue_census *census, unsigned long page);
/* Counts @page, which is there, once less; true: it is not there any more. Needs no memory. */
bool glue_census_remove(struct glue_census *census, unsigned long page);

GLUE_END

#endif

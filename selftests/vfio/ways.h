/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways in which a program has its memory mapped: the types of containers. */
#ifndef SELFTESTS_VFIO_WAYS_H
#define SELFTESTS_VFIO_WAYS_H

#include "type1.h"

enum way { WAY_V2, WAY_V1, WAY_TYPE1 };

/* Opens a container with one group in it, which belongs to nobody yet. */
int way_open(enum way way, struct spapr *s);
/* Does what comes before the memory can be mapped: makes a window and registers it, for v2. */
int way_prepare(enum way way, const struct spapr *s, const void *p, size_t size);
/* Maps the memory at the first address. */
int way_map(enum way way, const struct spapr *s, const void *p, size_t size);
/* Both. */
int way_take(enum way way, const struct spapr *s, const void *p, size_t size);
/* Switches type 1 off again. */
void way_end(enum way way);

#define SKIP_WITHOUT_WAY(way) do {							\
	if ((way) == WAY_TYPE1)								\
		SKIP_WITHOUT_TYPE1();							\
} while (0)

#endif

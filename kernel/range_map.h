/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of numbers that do not overlap, in order (a red-black tree, whose nodes are part of what
 * it holds: nothing here allocates or fails). The caller has a lock.
 */
#ifndef GLUE_RANGE_MAP_H
#define GLUE_RANGE_MAP_H

#include "kernel/types.h"

GLUE_BEGIN

/* Both numbers belong to the range; they stay as they are while it is in a map. */
struct glue_range {
	unsigned long links[3];
	unsigned long first;
	unsigned long last;
};

/* Empty when it is zero. */
struct glue_range_map {
	void *root;
};

/* @range overlaps none that is in @map. */
void glue_range_map_insert(struct glue_range_map *map, struct glue_range *range);
void glue_range_map_erase(struct glue_range_map *map, struct glue_range *range);
/* The first that has numbers from @from to @last, or NULL. */
struct glue_range *glue_range_map_find(const struct glue_range_map *map, unsigned long from,
				       unsigned long last);

GLUE_END

#endif

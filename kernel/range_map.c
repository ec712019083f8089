// SPDX-License-Identifier: GPL-2.0-only
/* Ranges of numbers. */
#include <linux/build_bug.h>
#include <linux/rbtree.h>

#include "kernel/range_map.h"

static struct rb_root *root_of(const struct glue_range_map *map)
{
	return (struct rb_root *)&map->root;
}

static struct rb_node *node_of(struct glue_range *range)
{
	BUILD_BUG_ON(sizeof(struct rb_node) != sizeof(range->links));
	BUILD_BUG_ON(sizeof(struct rb_root) != sizeof(struct glue_range_map));
	return (struct rb_node *)range->links;
}

static struct glue_range *range_of(const struct rb_node *node)
{
	return (struct glue_range *)node;
}

static bool is_before(struct rb_node *node, const struct rb_node *other)
{
	return range_of(node)->first < range_of(other)->first;
}

void glue_range_map_insert(struct glue_range_map *map, struct glue_range *range)
{
	rb_add(node_of(range), root_of(map), is_before);
}

void glue_range_map_erase(struct glue_range_map *map, struct glue_range *range)
{
	rb_erase(node_of(range), root_of(map));
}

struct glue_range *glue_range_map_find(const struct glue_range_map *map, unsigned long from,
				       unsigned long last)
{
	struct glue_range *found = NULL;
	struct rb_node *node = root_of(map)->rb_node;

	while (node) {
		if (range_of(node)->last < from) {
			node = node->rb_right;
		} else {
			found = range_of(node);
			node = node->rb_left;
		}
	}
	return found && found->first <= last ? found : NULL;
}

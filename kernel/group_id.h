/* SPDX-License-Identifier: GPL-2.0-only */
/* How people know a group. */
#ifndef GLUE_GROUP_ID_H
#define GLUE_GROUP_ID_H

#include "kernel/types.h"

GLUE_BEGIN

/* -1 where there is no such number: partitions do not know their PEs. */
struct glue_group_id {
	int group; /* /dev/vfio/<group> */
	int phb;   /* the PCI domain of its devices */
	int pe;
};

/* May sleep. */
void glue_group_get_id(struct iommu_group *group, struct glue_group_id *id);

GLUE_END

#endif

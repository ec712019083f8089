/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A group in use: the kernel takes it for VFIO before that, device by device, and gives it back
 * afterwards (take_ownership and release_ownership of struct iommu_table_group_ops). It also does
 * the first for a device that joins the group in between. The platform then takes the group's
 * windows, which are the user's by then, for its own: it unsets them and puts their tables.
 */
#ifndef GLUE_OWNERSHIP_H
#define GLUE_OWNERSHIP_H

#include "kernel/types.h"

GLUE_BEGIN

struct glue_ownership;

/*
 * From now on the windows of @tables, which was taken for VFIO, are left alone when a device joins
 * it. NULL without memory. May sleep.
 */
struct glue_ownership *glue_ownership_keep(struct iommu_table_group *tables);
/* The end of that, when @tables, those of @group, have no window any more. May sleep. */
void glue_ownership_end(struct glue_ownership *ownership, struct iommu_group *group,
			struct iommu_table_group *tables);

GLUE_END

#endif

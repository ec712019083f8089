// SPDX-License-Identifier: GPL-2.0-only
/* A group that is in use stays so when a device joins it. */
#include <linux/iommu.h>
#include <linux/slab.h>

#include <asm/iommu.h>

#include "arch/powerpc/glue/ownership.h"

/* The operations that the IOMMU core finds meanwhile, and the platform's own. */
struct glue_ownership {
	struct iommu_table_group_ops ops;
	struct iommu_table_group_ops *platform_ops;
};

static long already_taken(struct iommu_table_group *tables, struct device *device)
{
	/* The platform has set it to a table of the user's. */
	set_iommu_table_base(device, NULL);
	return 0;
}

struct glue_ownership *glue_ownership_keep(struct iommu_table_group *tables)
{
	struct glue_ownership *ownership = kzalloc(sizeof(*ownership), GFP_KERNEL_ACCOUNT);

	if (!ownership)
		return NULL;
	ownership->platform_ops = tables->ops;
	ownership->ops = *tables->ops;
	ownership->ops.take_ownership = already_taken;
	smp_store_release(&tables->ops, &ownership->ops);
	return ownership;
}

static int nothing(struct device *device, void *data)
{
	return 0;
}

void glue_ownership_end(struct glue_ownership *ownership, struct iommu_group *group,
			struct iommu_table_group *tables)
{
	WRITE_ONCE(tables->ops, ownership->platform_ops);
	/* The core calls the operations under the lock that this takes: no such call is left. */
	iommu_group_for_each_dev(group, NULL, nothing);
	kfree(ownership);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The platform's table groups and TCE tables. */
#include <linux/iommu.h>

#include <asm/firmware.h>
#include <asm/iommu.h>

#include "arch/powerpc/glue/iommu.h"

void glue_table_group_get_limits(struct iommu_table_group *group,
				 struct glue_table_group_limits *limits)
{
	const struct iommu_table_group_ops *ops = group->ops;

	limits->tce32_start = group->tce32_start;
	limits->tce32_size = group->tce32_size;
	limits->page_sizes = group->pgsizes;
	limits->max_windows = group->max_dynamic_windows_supported;
	limits->max_levels = group->max_levels;
	limits->kernel_platform = ops ? ops->create_table : NULL;
	limits->has_window_ops = ops && ops->get_table_size && ops->create_table &&
				 ops->set_window && ops->unset_window;
	limits->tables_in_memory = firmware_has_feature(FW_FEATURE_OPAL);
	limits->fixed_window = false;
}

struct iommu_table *glue_table_group_table(struct iommu_table_group *group, unsigned int num)
{
	return group->tables[num];
}

void glue_group_set_table(struct iommu_table_group *group, unsigned int num,
			  struct iommu_table *table)
{
	WRITE_ONCE(group->tables[num], table);
}

unsigned long glue_table_group_get_table_size(struct iommu_table_group *group,
					      unsigned int page_shift, unsigned long window_size,
					      unsigned int levels)
{
	return group->ops->get_table_size(page_shift, window_size, levels);
}

long glue_table_group_create_table(struct iommu_table_group *group, unsigned int num,
				   unsigned int page_shift, unsigned long window_size,
				   unsigned int levels, struct iommu_table **table)
{
	return group->ops->create_table(group, num, page_shift, window_size, levels, table);
}

long glue_table_group_set_window(struct iommu_table_group *group, unsigned int num,
				 struct iommu_table *table)
{
	return group->ops->set_window(group, num, table);
}

long glue_table_group_unset_window(struct iommu_table_group *group, unsigned int num)
{
	return group->ops->unset_window(group, num);
}

void glue_table_get_geometry(struct iommu_table *table, struct glue_table_geometry *geometry)
{
	geometry->offset = table->it_offset;
	geometry->size = table->it_size;
	geometry->page_shift = table->it_page_shift;
	geometry->indirect_levels = table->it_indirect_levels;
	geometry->level_size = table->it_level_size;
	geometry->node = table->it_nid;
	geometry->base = (void *)table->it_base;
}

unsigned long glue_table_liobn(struct iommu_table *table)
{
	return table->it_index;
}

int glue_table_exchange(struct iommu_table *table, unsigned long index, unsigned long *hpa,
			unsigned int *direction)
{
	enum dma_data_direction kernel_direction = *direction;
	int ret = table->it_ops->xchg_no_kill(table, index, hpa, &kernel_direction);

	*direction = kernel_direction;
	return ret;
}

void *glue_table_view(struct iommu_table *table, unsigned long index, bool allocate)
{
	return table->it_ops->useraddrptr(table, index, allocate);
}

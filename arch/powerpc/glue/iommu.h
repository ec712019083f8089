/* SPDX-License-Identifier: GPL-2.0-only */
/* The platform's table groups and TCE tables (arch/powerpc/include/asm/iommu.h). */
#ifndef GLUE_IOMMU_H
#define GLUE_IOMMU_H

#include "kernel/types.h"

GLUE_BEGIN

/* What a table group offers; struct iommu_table_group has the meaning of each. */
struct glue_table_group_limits {
	unsigned long tce32_start;
	unsigned long tce32_size;
	unsigned long page_sizes; /* bit n: pages of 1 << n bytes */
	unsigned int max_windows;
	unsigned int max_levels;
	/* The group's create_table: groups with the same one can share tables. */
	const void *kernel_platform;
	bool has_window_ops;
	bool tables_in_memory; /* PowerNV: a table level is one block of kernel memory */
	bool fixed_window;     /* one window, of tce32_size, that the firmware has made */
};

/* A table's shape, constant while it lives; struct iommu_table has the meaning of each. */
struct glue_table_geometry {
	unsigned long offset;
	unsigned long size;
	unsigned long page_shift;
	unsigned long indirect_levels;
	unsigned long level_size;
	int node;
	void *base;
};

/* drivers/iommu/iommu.c: the table group of an IOMMU group; NULL when it has none. */
void *iommu_group_get_iommudata(struct iommu_group *group);
/* The same: a further reference for a caller who has one, and its end. */
struct iommu_group *iommu_group_ref_get(struct iommu_group *group);
void iommu_group_put(struct iommu_group *group);

void glue_table_group_get_limits(struct iommu_table_group *group,
				 struct glue_table_group_limits *limits);
/* The table in slot @num of @group, or NULL. */
struct iommu_table *glue_table_group_table(struct iommu_table_group *group, unsigned int num);
/* Puts @table (or NULL) into the group's slot @num. */
void glue_group_set_table(struct iommu_table_group *group, unsigned int num,
			  struct iommu_table *table);

/* The operations of struct iommu_table_group_ops. Process context, may sleep. */
unsigned long glue_table_group_get_table_size(struct iommu_table_group *group,
					      unsigned int page_shift, unsigned long window_size,
					      unsigned int levels);
long glue_table_group_create_table(struct iommu_table_group *group, unsigned int num,
				   unsigned int page_shift, unsigned long window_size,
				   unsigned int levels, struct iommu_table **table);
long glue_table_group_set_window(struct iommu_table_group *group, unsigned int num,
				 struct iommu_table *table);
long glue_table_group_unset_window(struct iommu_table_group *group, unsigned int num);

/* arch/powerpc/kernel/iommu.c: references; the last put frees the table and returns 1. */
struct iommu_table *iommu_tce_table_get(struct iommu_table *table);
int iommu_tce_table_put(struct iommu_table *table);

void glue_table_get_geometry(struct iommu_table *table, struct glue_table_geometry *geometry);
/* By which a hypervisor knows the table; of a partition only. */
unsigned long glue_table_liobn(struct iommu_table *table);

/*
 * Exchanges the entry and returns the old one in @hpa and @direction (enum dma_data_direction).
 * 0 or a negative errno, and then nothing is changed. Does not sleep and does not invalidate.
 */
int glue_table_exchange(struct iommu_table *table, unsigned long index, unsigned long *hpa,
			unsigned int *direction);
/*
 * The big-endian word of the userspace view for an entry; the words of one level's block follow
 * each other. NULL when the block does not exist and @allocate is false, or when it cannot be
 * allocated.
 */
void *glue_table_view(struct iommu_table *table, unsigned long index, bool allocate);

/* Makes the PHBs forget what they know of @pages entries from @index on. */
void iommu_tce_kill(struct iommu_table *table, unsigned long index, unsigned long pages);
/* Waits until the PHBs see all stores. */
void iommu_flush_tce(struct iommu_table *table);

GLUE_END

#endif

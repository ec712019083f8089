/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmark says to /dev/tce_floor, besides VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA: what it
 * works on; and to pin pages and to unpin them, as under a mapping of type 1.
 */
#ifndef TCE_FLOOR_H
#define TCE_FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The memory that will be mapped, which a container of the process has registered so. */
struct tce_floor_setup {
	__u64 vaddr;
	__u64 size;
	__u64 page_shift;	/* of the TCEs */
};

/* Memory that is pinned as a whole. */
struct tce_floor_pin {
	__u64 vaddr;
	__u64 size;
};

#define TCE_FLOOR_SETUP	_IOW('T', 0, struct tce_floor_setup)
#define TCE_FLOOR_PIN	_IOW('T', 1, struct tce_floor_pin)
#define TCE_FLOOR_UNPIN	_IO('T', 2)

#endif

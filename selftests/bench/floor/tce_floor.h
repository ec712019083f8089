/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmark says to /dev/tce_floor, besides VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA. */
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

#define TCE_FLOOR_SETUP	_IOW('T', 0, struct tce_floor_setup)

#endif

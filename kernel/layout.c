// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers of the kernel that the C++ code needs, read off the kernel's own headers: this file is
 * compiled to assembly only, and scripts/layout-header.sh makes generated/kernel_layout.h from
 * the marked lines (the kernel's asm-offsets pattern).
 */
#include <linux/dma-direction.h>
#include <linux/kbuild.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>

#include <asm/hvcall.h>
#include <asm/iommu.h>

#include "kernel/check.h"
#include "kernel/vfio_driver_ops.h"

int main(void)
{
	DEFINE(KERNEL_PAGE_SHIFT, PAGE_SHIFT);
	DEFINE(KERNEL_PAGE_OFFSET, PAGE_OFFSET);
	DEFINE(KERNEL_MAX_PAGE_ORDER, MAX_PAGE_ORDER);
	DEFINE(KERNEL_MUTEX_SIZE, sizeof(struct mutex));
	DEFINE(KERNEL_MUTEX_ALIGN, __alignof__(struct mutex));
	DEFINE(KERNEL_SPINLOCK_SIZE, sizeof(spinlock_t));
	DEFINE(KERNEL_SPINLOCK_ALIGN, __alignof__(spinlock_t));
	DEFINE(KERNEL_MAX_TABLES, IOMMU_TABLE_GROUP_MAX_TABLES);

	DEFINE(KERNEL_CHECKS, GLUE_CHECKS);

	DEFINE(KERNEL_DMA_BIDIRECTIONAL, DMA_BIDIRECTIONAL);
	DEFINE(KERNEL_DMA_TO_DEVICE, DMA_TO_DEVICE);
	DEFINE(KERNEL_DMA_FROM_DEVICE, DMA_FROM_DEVICE);
	DEFINE(KERNEL_DMA_NONE, DMA_NONE);
	DEFINE(KERNEL_H_FUNCTION, H_FUNCTION);

	/* The C++ side reads the UAPI from the C library's copy of <linux/vfio.h>. */
	DEFINE(KERNEL_SIZEOF_INFO, sizeof(struct vfio_iommu_spapr_tce_info));
	DEFINE(KERNEL_SIZEOF_DMA_MAP, sizeof(struct vfio_iommu_type1_dma_map));
	DEFINE(KERNEL_SIZEOF_DMA_UNMAP, sizeof(struct vfio_iommu_type1_dma_unmap));
	DEFINE(KERNEL_SIZEOF_REGISTER, sizeof(struct vfio_iommu_spapr_register_memory));
	DEFINE(KERNEL_SIZEOF_CREATE, sizeof(struct vfio_iommu_spapr_tce_create));
	DEFINE(KERNEL_SIZEOF_REMOVE, sizeof(struct vfio_iommu_spapr_tce_remove));
	DEFINE(KERNEL_SIZEOF_EEH_PE_OP, sizeof(struct vfio_eeh_pe_op));
	DEFINE(KERNEL_SIZEOF_TYPE1_INFO, sizeof(struct vfio_iommu_type1_info));

	/* For scripts/verify-driver-ops.sh. */
	OFFSET(DRIVER_OPS_open, vfio_iommu_driver_ops, open);
	OFFSET(DRIVER_OPS_release, vfio_iommu_driver_ops, release);
	OFFSET(DRIVER_OPS_ioctl, vfio_iommu_driver_ops, ioctl);
	OFFSET(DRIVER_OPS_attach_group, vfio_iommu_driver_ops, attach_group);
	OFFSET(DRIVER_OPS_detach_group, vfio_iommu_driver_ops, detach_group);
	DEFINE(DRIVER_OPS_size, sizeof(struct vfio_iommu_driver_ops));
	return 0;
}

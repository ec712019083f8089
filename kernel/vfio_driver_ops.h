/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an IOMMU driver registers with the VFIO core. The kernel declares this in
 * drivers/vfio/vfio.h, which distributions do not ship; scripts/verify-driver-ops.sh holds the
 * offsets below against the stock module when that one is at hand.
 */
#ifndef VFIO_DRIVER_OPS_H
#define VFIO_DRIVER_OPS_H

#include <linux/types.h>

struct iommu_group;
struct iommu_domain;
struct module;
struct page;
struct vfio_device;

/* Of a group's devices. Only the first one has an IOMMU behind it. */
enum vfio_group_type {
	VFIO_IOMMU,
	VFIO_EMULATED_IOMMU,
	VFIO_NO_IOMMU,
};

struct vfio_iommu_driver_ops {
	char *name;
	struct module *owner;
	void *(*open)(unsigned long arg);
	void (*release)(void *iommu_data);
	long (*ioctl)(void *iommu_data, unsigned int cmd, unsigned long arg);
	int (*attach_group)(void *iommu_data, struct iommu_group *group, enum vfio_group_type type);
	void (*detach_group)(void *iommu_data, struct iommu_group *group);
	int (*pin_pages)(void *iommu_data, struct iommu_group *group, dma_addr_t user_iova,
			 int npage, int prot, struct page **pages);
	void (*unpin_pages)(void *iommu_data, dma_addr_t user_iova, int npage);
	void (*register_device)(void *iommu_data, struct vfio_device *device);
	void (*unregister_device)(void *iommu_data, struct vfio_device *device);
	int (*dma_rw)(void *iommu_data, dma_addr_t user_iova, void *data, size_t count, bool write);
	struct iommu_domain *(*group_iommu_domain)(void *iommu_data, struct iommu_group *group);
};

int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops);
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops);

#endif

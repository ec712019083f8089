/* SPDX-License-Identifier: GPL-2.0-only */
/* The windows that a partition's firmware has made, as the device tree tells of them. */
#ifndef GLUE_DEVICE_TREE_H
#define GLUE_DEVICE_TREE_H

#include "kernel/types.h"

GLUE_BEGIN

/* A DMA window that the firmware has made; the hypervisor knows it by its LIOBN. */
struct glue_firmware_window {
	unsigned long liobn;
	unsigned long start;
	unsigned long size; /* bytes */
};

/*
 * The window that the property "ibm,dma-window" of the group's node describes; false: there is
 * none. Source: LoPAR, "ibm,dma-window". May sleep.
 */
bool glue_papr_default_window(struct iommu_group *group, struct glue_firmware_window *window);

GLUE_END

#endif

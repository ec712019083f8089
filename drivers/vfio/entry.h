/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the VFIO core calls, for module.c, which knows the core. All in process context,
 * may sleep; 0 or a negative errno, for the ioctl also a positive result.
 */
#ifndef DRIVERS_VFIO_ENTRY_H
#define DRIVERS_VFIO_ENTRY_H

#include "kernel/types.h"

GLUE_BEGIN

/* @kernel_tables_only: no PowerNV tables of our own. */
void tce_module_init(bool kernel_tables_only);
void tce_module_exit(void);

/* @handle stands for a container; NULL for none. It is a number, no address. */
long tce_container_open(unsigned long type, void **handle);
void tce_container_release(void *handle);
long tce_container_ioctl(void *handle, unsigned int cmd, unsigned long arg);
long tce_container_attach_group(void *handle, struct iommu_group *group);
void tce_container_detach_group(void *handle, struct iommu_group *group);

GLUE_END

#endif

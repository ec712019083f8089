// SPDX-License-Identifier: GPL-2.0-only
/* The module, and the operations that it registers with the VFIO core. */
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/string.h>

#include "drivers/vfio/entry.h"
#include "drivers/vfio/parameters.h"
#include "kernel/vfio_driver_ops.h"

static void *open_container(unsigned long arg)
{
	void *handle;
	long ret = tce_container_open(arg, &handle);

	return ret ? ERR_PTR(ret) : handle;
}

static int attach_group(void *data, struct iommu_group *group, enum vfio_group_type type)
{
	if (type != VFIO_IOMMU)
		return -EINVAL;
	return tce_container_attach_group(data, group);
}

static const struct vfio_iommu_driver_ops driver_ops = {
	.name = "iommu-vfio-powerpc",
	.owner = THIS_MODULE,
	.open = open_container,
	.release = tce_container_release,
	.ioctl = tce_container_ioctl,
	.attach_group = attach_group,
	.detach_group = tce_container_detach_group,
};

enum powernv_mode {
	POWERNV_AUTO,
	POWERNV_KERNEL,
};

static const char *const powernv_modes[] = {
	[POWERNV_AUTO] = "auto",
	[POWERNV_KERNEL] = "kernel",
};

static char *powernv = "auto";
module_param(powernv, charp, 0444);
MODULE_PARM_DESC(powernv, "TCE tables on PowerNV: auto (our own where possible) or kernel");

bool tce_type1;
module_param_named(type1, tce_type1, bool, 0644);
MODULE_PARM_DESC(type1, "VFIO type 1 containers, for programs that know no other (off: programs "
			"that know both take this one)");

unsigned int tce_dma_entry_limit = U16_MAX;
module_param_named(dma_entry_limit, tce_dma_entry_limit, uint, 0644);
MODULE_PARM_DESC(dma_entry_limit, "mappings that a type 1 container can have (65535)");

static int __init load(void)
{
	int mode = match_string(powernv_modes, ARRAY_SIZE(powernv_modes), powernv);
	int ret;

	if (mode < 0)
		return mode;
	tce_module_init(mode == POWERNV_KERNEL);
	ret = vfio_register_iommu_driver(&driver_ops);
	if (ret)
		tce_module_exit();
	return ret;
}

static void __exit unload(void)
{
	vfio_unregister_iommu_driver(&driver_ops);
	tce_module_exit();
}

module_init(load);
module_exit(unload);

MODULE_VERSION(TCE_VERSION);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO IOMMU driver for TCE tables on POWER");

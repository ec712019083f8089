// SPDX-License-Identifier: GPL-2.0-only
/* The PCI bus of a group. */
#include <linux/build_bug.h>
#include <linux/iommu.h>
#include <linux/pci.h>

#include <asm/pci-bridge.h>

#include "arch/powerpc/glue/bus.h"

/* Of the first device: all devices of a group are behind the same PHB. */
static int find_phb(struct device *device, void *data)
{
	struct pci_controller **phb = data;

	if (!dev_is_pci(device))
		return 0;
	*phb = pci_bus_to_host(to_pci_dev(device)->bus);
	return 1;
}

unsigned int glue_mmio_windows(struct iommu_group *group,
			       struct glue_bus_range windows[GLUE_MOST_MMIO_WINDOWS])
{
	struct pci_controller *phb = NULL;
	unsigned int count = 0;

	BUILD_BUG_ON(ARRAY_SIZE(phb->mem_resources) != GLUE_MOST_MMIO_WINDOWS);
	if (iommu_group_for_each_dev(group, &phb, find_phb) != 1)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(phb->mem_resources); i++) {
		const struct resource *mmio = &phb->mem_resources[i];

		if (!(mmio->flags & IORESOURCE_MEM))
			continue;
		windows[count].first = mmio->start - phb->mem_offset[i];
		windows[count++].last = mmio->end - phb->mem_offset[i];
	}
	return count;
}

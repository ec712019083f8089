// SPDX-License-Identifier: GPL-2.0-only
/* The windows that a partition's firmware has made. */
#include <linux/iommu.h>
#include <linux/of.h>
#include <linux/pci.h>

#include <asm/pci-bridge.h>

#include "arch/powerpc/platforms/pseries/glue/device_tree.h"

/* No number of PCI has more cells. */
#define MOST_CELLS 3

/* How many cells @node uses for @ibm_name, or else for @name; 0: it does not say. */
static u32 cells_of(struct device_node *node, const char *ibm_name, const char *name)
{
	u32 cells;

	if (of_property_read_u32(node, ibm_name, &cells) &&
	    of_property_read_u32(node, name, &cells))
		return 0;
	return cells <= MOST_CELLS ? cells : 0;
}

/* The property has the LIOBN, the start and the size. */
static bool parse_window(struct device_node *node, struct glue_firmware_window *window)
{
	u32 address_cells = cells_of(node, "ibm,#dma-address-cells", "#address-cells");
	u32 size_cells = cells_of(node, "ibm,#dma-size-cells", "#size-cells");
	const __be32 *cells;
	int length;

	cells = of_get_property(node, "ibm,dma-window", &length);
	if (!cells || !address_cells || !size_cells ||
	    length < (1 + address_cells + size_cells) * sizeof(*cells))
		return false;
	window->liobn = of_read_number(cells, 1);
	window->start = of_read_number(cells + 1, address_cells);
	window->size = of_read_number(cells + 1 + address_cells, size_cells);
	return true;
}

/*
 * Asks the first device only: all devices of a group are below the node that has the group's
 * window.
 */
static int read_window(struct device *device, void *data)
{
	struct device_node *node = device->of_node;

	if (!dev_is_pci(device))
		return 0;
	for (; node && PCI_DN(node); node = node->parent) {
		if (of_property_present(node, "ibm,dma-window"))
			return parse_window(node, data);
	}
	return 0;
}

bool glue_papr_default_window(struct iommu_group *group, struct glue_firmware_window *window)
{
	return iommu_group_for_each_dev(group, window, read_window) == 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/* pSeries partitions: the firmware's windows, our tables of them, and the hypervisor's calls. */
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <asm/firmware.h>
#include <asm/hvcall.h>
#include <asm/iommu.h>
#include <asm/pci-bridge.h>
#include <asm/plpar_wrappers.h>
#include <asm/tce.h>

#include "glue/own_table.h"
#include "glue/pseries.h"

#include "arch/powerpc/kernel/glue/own_table_struct.h"

bool glue_partition_is_one(void)
{
	return firmware_has_feature(FW_FEATURE_LPAR) && !firmware_has_feature(FW_FEATURE_PS3_LV1);
}

bool glue_partition_has_multi_tce(void)
{
	return firmware_has_feature(FW_FEATURE_PUT_TCE_IND) &&
	       firmware_has_feature(FW_FEATURE_STUFF_TCE);
}

/* PCI has no numbers of more cells. */
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

/* LIOBN, start and size. */
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

/* Of the first device; all devices of a group are below the node that has the group's window. */
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

bool glue_partition_default_window(struct iommu_group *group, struct glue_firmware_window *window)
{
	return iommu_group_for_each_dev(group, window, read_window) == 1;
}

struct partition_table {
	struct own_table own;
	struct iommu_table *platform_table;
	void *list;
};

static struct partition_table *partition_table(struct iommu_table *table)
{
	return container_of(table, struct partition_table, own.table);
}

static void free_table(struct iommu_table *table)
{
	tce_own_table_free(table);
	free_page((unsigned long)partition_table(table)->list);
	module_put(THIS_MODULE);
}

static struct iommu_table_ops partition_table_ops = {
	.xchg_no_kill = own_table_exchange,
	.tce_kill = tce_own_table_kill,
	.useraddrptr = own_table_view,
	.free = free_table,
};

struct iommu_table *glue_partition_table_create(const struct glue_table_geometry *geometry,
						unsigned long liobn, unsigned long allocated_size,
						struct iommu_table *platform_table)
{
	struct partition_table *new =
		kzalloc_node(sizeof(*new), GFP_KERNEL_ACCOUNT, geometry->node);
	struct iommu_table *table;

	if (!new)
		return NULL;
	new->list = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!new->list) {
		kfree(new);
		return NULL;
	}
	__module_get(THIS_MODULE);
	new->platform_table = platform_table;
	own_table_init(&new->own, geometry, allocated_size, &partition_table_ops);
	table = &new->own.table;
	table->it_index = liobn;
	return table;
}

unsigned long glue_table_liobn(struct iommu_table *table)
{
	return table->it_index;
}

struct iommu_table *glue_partition_table_platform(struct iommu_table *table)
{
	return partition_table(table)->platform_table;
}

void *glue_partition_table_list(struct iommu_table *table)
{
	return partition_table(table)->list;
}

#ifdef CONFIG_PPC_PSERIES

long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce)
{
	return plpar_tce_put(liobn, address, tce);
}

long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count)
{
	return plpar_tce_put_indirect(liobn, address, __pa(list), count);
}

long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count)
{
	return plpar_tce_stuff(liobn, address, tce, count);
}

#else

/* What is there to be linked with: no such kernel runs in a partition. */
long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce)
{
	return H_FUNCTION;
}

long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count)
{
	return H_FUNCTION;
}

long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count)
{
	return H_FUNCTION;
}

#endif

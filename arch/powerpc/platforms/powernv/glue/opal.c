// SPDX-License-Identifier: GPL-2.0-only
/* PowerNV: the firmware's calls, and which PE a group is. */
#include <linux/iommu.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/of.h>
#include <linux/pci.h>

#include <asm/firmware.h>
#include <asm/opal.h>
#include <asm/pci-bridge.h>

#include "arch/powerpc/platforms/powernv/glue/opal.h"
#include "arch/powerpc/platforms/powernv/glue/phb3.h"
#include "kernel/tce_trace.h"

static typeof(opal_pci_map_pe_dma_window) *map_pe_dma_window;
static typeof(opal_pci_tce_kill) *tce_kill;

/*
 * The address at which a function of the kernel can be called, or NULL. A kprobe knows where it
 * was put, which on ELFv2 is somewhat behind the entry; the symbol's offset leads back.
 */
static void *find_function(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	char symbol[KSYM_SYMBOL_LEN];
	unsigned long address;
	unsigned long offset;
	const char *plus;

	if (register_kprobe(&probe))
		return NULL;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);

	/* name+0xoffset/0xsize */
	sprint_symbol(symbol, address);
	plus = strchr(symbol, '+');
	if (!plus || strncmp(symbol, name, plus - symbol) || sscanf(plus, "+%lx/", &offset) != 1)
		return NULL;
	return (void *)(address - offset);
}

bool glue_opal_is_firmware(void)
{
	return firmware_has_feature(FW_FEATURE_OPAL);
}

void glue_opal_say_not_found(void)
{
	pr_notice("vfio_iommu_spapr_tce: OPAL's entry points were not found; using the kernel's "
		  "own tables\n");
}

bool glue_opal_find(void)
{
	map_pe_dma_window = find_function("opal_pci_map_pe_dma_window");
	tce_kill = find_function("opal_pci_tce_kill");
	return map_pe_dma_window && tce_kill;
}

/* Asks the first device only: all devices of a group are in the same PE. */
static int read_pe(struct device *device, void *data)
{
	struct glue_pe *pe = data;
	struct pci_controller *phb;
	struct pci_dn *pdn;
	u64 phb_id;

	if (!dev_is_pci(device))
		return 0;

	phb = pci_bus_to_host(to_pci_dev(device)->bus);
	/* A virtual function has no node in the device tree. */
	pdn = device->archdata.pci_data;
	if (!pdn && device->of_node)
		pdn = PCI_DN(device->of_node);
	if (!pdn || pdn->pe_number == IODA_INVALID_PE ||
	    of_property_read_u64(phb->dn, "ibm,opal-phbid", &phb_id))
		return 0;

	pe->phb = phb_id;
	pe->number = pdn->pe_number;
	pe->node = phb->node;
	pe->tce_kill_register = glue_phb3_tce_kill_register(phb->dn);
	return 1;
}

bool glue_pe_of_group(struct iommu_group *group, struct glue_pe *pe)
{
	return iommu_group_for_each_dev(group, pe, read_pe) == 1;
}

long glue_opal_map_window(const struct glue_pe *pe, unsigned int num, unsigned int levels,
			  unsigned long table, unsigned long size, unsigned long page_size)
{
	/* The TVEs of PEs follow each other, two for each. */
	return map_pe_dma_window(pe->phb, pe->number, 2 * pe->number + num, levels, table, size,
				 page_size);
}

static inline long kill_pe(const struct glue_pe *pe)
{
	mb(); /* the entries before the call that makes the PHB read them */
	return tce_kill(pe->phb, OPAL_PCI_TCE_KILL_PE, pe->number, 0, 0, 0);
}

/* Apart, because a kill of which nothing is told need not keep what would be. */
static noinline long kill_pe_and_tell(const struct glue_pe *pe)
{
	long ret = kill_pe(pe);

	trace_tce_invalidate(pe->phb, pe->number, 0, 0, ret);
	return ret;
}

long glue_opal_kill_pe(const struct glue_pe *pe)
{
	return trace_tce_invalidate_enabled() ? kill_pe_and_tell(pe) : kill_pe(pe);
}

// SPDX-License-Identifier: GPL-2.0-only
/* PHB3's register that takes back its cached TCEs. */
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <asm/pci-bridge.h>

#include "arch/powerpc/platforms/powernv/glue/phb3.h"

#define TCE_KILL_REGISTER 0x210

struct phb3 {
	struct list_head next;
	struct device_node *node;
	void __iomem *tce_kill;
};

/*
 * Each chip has a few. The register of a PHB is mapped from its first group on until the module is
 * unloaded.
 */
static LIST_HEAD(known_phbs);
static DEFINE_MUTEX(known_phbs_lock);

static struct phb3 *find_known(struct device_node *node)
{
	struct phb3 *phb;

	list_for_each_entry(phb, &known_phbs, next)
	{
		if (phb->node == node)
			return phb;
	}
	return NULL;
}

static struct phb3 *map_registers(struct device_node *node)
{
	struct phb3 *phb;
	struct resource registers;

	if (of_address_to_resource(node, 0, &registers) ||
	    resource_size(&registers) < TCE_KILL_REGISTER + sizeof(u64))
		return NULL;
	phb = kzalloc(sizeof(*phb), GFP_KERNEL);
	if (!phb)
		return NULL;
	phb->tce_kill = ioremap(registers.start + TCE_KILL_REGISTER, sizeof(u64));
	if (!phb->tce_kill) {
		kfree(phb);
		return NULL;
	}
	phb->node = of_node_get(node);
	list_add(&phb->next, &known_phbs);
	return phb;
}

void *glue_phb3_tce_kill_register(struct device_node *node)
{
	struct phb3 *phb;

	if (!of_device_is_compatible(node, "ibm,power8-pciex"))
		return NULL;
	mutex_lock(&known_phbs_lock);
	phb = find_known(node);
	if (!phb)
		phb = map_registers(node);
	mutex_unlock(&known_phbs_lock);
	return phb ? (void __force *)phb->tce_kill : NULL;
}

void glue_phb3_unmap_registers(void)
{
	struct phb3 *phb;
	struct phb3 *next;

	list_for_each_entry_safe(phb, next, &known_phbs, next)
	{
		iounmap(phb->tce_kill);
		of_node_put(phb->node);
		kfree(phb);
	}
}

void glue_phb3_write_tce_kill(void *tce_kill_register, unsigned long value)
{
	mb(); /* the entries before the write that makes the PHB read them */
	__raw_writeq_be(value, (void __iomem __force *)tce_kill_register);
}

// SPDX-License-Identifier: GPL-2.0-only
/* How people know a group. */
#include <linux/iommu.h>
#include <linux/pci.h>

#include <asm/pci-bridge.h>

#include "kernel/group_id.h"

/* Of the first device; all devices of a group are in the same PE. */
static int read_device(struct device *device, void *data)
{
	struct glue_group_id *id = data;
	struct pci_dn *pdn;

	if (!dev_is_pci(device))
		return 0;
	id->phb = pci_domain_nr(to_pci_dev(device)->bus);
	/* A virtual function has no node in the device tree. */
	pdn = device->archdata.pci_data;
	if (!pdn && device->of_node)
		pdn = PCI_DN(device->of_node);
	if (pdn)
		id->pe = pdn->pe_number; /* IODA_INVALID_PE is -1 */
	return 1;
}

void glue_group_get_id(struct iommu_group *group, struct glue_group_id *id)
{
	id->group = iommu_group_id(group);
	id->phb = -1;
	id->pe = -1;
	iommu_group_for_each_dev(group, id, read_device);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* PHB3's registers, for the glue around it. */
#ifndef GLUE_PHB3_H
#define GLUE_PHB3_H

struct device_node;

/*
 * The TCE kill register of a PHB, mapped until glue_phb3_unmap_registers(); NULL if the PHB is no
 * PHB3 or its registers cannot be mapped. May sleep.
 *
 * Source: the first range of "reg" in the PHB's node of the device tree, as skiboot's hw/phb3.c
 * makes it.
 */
void __iomem *phb3_tce_kill_register(struct device_node *node);

#endif

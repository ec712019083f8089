/* SPDX-License-Identifier: GPL-2.0-only */
/* PHB3's register that takes back its cached TCEs, which OPAL does not do there. */
#ifndef GLUE_PHB3_H
#define GLUE_PHB3_H

#include "kernel/types.h"

GLUE_BEGIN

struct device_node;

/*
 * The TCE kill register of the PHB with the node @phb, mapped until glue_phb3_unmap_registers();
 * NULL if the PHB is no PHB3 or its registers cannot be mapped. May sleep.
 *
 * Source: the first range of "reg" in the PHB's node of the device tree, as skiboot's hw/phb3.c
 * makes it.
 */
void *glue_phb3_tce_kill_register(struct device_node *phb);
/* Writes such a register. Any context. */
void glue_phb3_write_tce_kill(void *tce_kill_register, unsigned long value);
/* When no register is in use any more. May sleep. */
void glue_phb3_unmap_registers(void);

GLUE_END

#endif

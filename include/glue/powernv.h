/* SPDX-License-Identifier: GPL-2.0-only */
/* PowerNV: tables of our own, their links to groups, and the firmware (OPAL). */
#ifndef GLUE_POWERNV_H
#define GLUE_POWERNV_H

#include "glue/iommu.h"
#include "glue/types.h"

GLUE_BEGIN

/* --- the firmware ---------------------------------------------------------------------------- */

/*
 * A PE as OPAL names it, the NUMA node of its PHB, and, for a PHB3 only, the register that takes
 * back its cached TCEs. On other PHBs the firmware does that.
 */
struct glue_pe {
	unsigned long phb;
	unsigned int number;
	int node;
	void *tce_kill_register;
};

/* The firmware is OPAL: this is a PowerNV machine. */
bool glue_opal_is_firmware(void);

/*
 * Looks for OPAL's entry points, which the kernel does not export. False when they are not to be
 * had; true for ever after. At module load.
 */
bool glue_opal_find(void);
/* A line in the kernel log: there are no entry points, the kernel's own tables are used. */
void glue_opal_say_not_found(void);

/* The PE of a group's devices; false when it has no device of a PowerNV PHB. May sleep. */
bool glue_pe_of_group(struct iommu_group *group, struct glue_pe *pe);

/*
 * OPAL_PCI_MAP_PE_DMA_WINDOW: makes @table (of @levels, the top one of @size bytes) the PE's window
 * @num; @levels of 0 takes it away. Returns OPAL's code, 0 for success.
 */
long glue_opal_map_window(const struct glue_pe *pe, unsigned int num, unsigned int levels,
			  unsigned long table, unsigned long size, unsigned long page_size);

/* OPAL_PCI_TCE_KILL of all that the PE has cached. Returns OPAL's code. Any context. */
long glue_opal_kill_pe(const struct glue_pe *pe);

/* Writes the PE's TCE kill register, which is there. Any context. */
void glue_phb3_write_tce_kill(const struct glue_pe *pe, unsigned long value);
/* When no PE is in use any more. May sleep. */
void glue_phb3_unmap_registers(void);

/* --- struct iommu_table ---------------------------------------------------------------------- */

/*
 * A table with our operations, of the given shape, and one reference, which iommu_tce_table_put()
 * gives back. It keeps this module loaded. NULL without memory. May sleep.
 */
struct iommu_table *glue_table_create(const struct glue_table_geometry *geometry,
				      unsigned long allocated_size);
/* --- links between tables and groups --------------------------------------------------------- */

struct glue_link;

/* A link that is on no list yet; NULL without memory. May sleep. */
struct glue_link *glue_link_alloc(const struct glue_pe *pe);
/* Only of a link that is on no list. */
void glue_link_free(struct glue_link *link);
/* Puts a link on the table's RCU list of groups. */
void glue_link_add(struct iommu_table *table, struct iommu_table_group *group,
		   struct glue_link *link);
/* The PE of the group's link on the table's list; false: no link. */
bool glue_link_find(struct iommu_table *table, struct iommu_table_group *group, struct glue_pe *pe);
/* Takes that link, which is there, off the list and frees it after the readers. */
void glue_link_remove(struct iommu_table *table, struct iommu_table_group *group);
/* Calls @visit with the PE of each link, between glue_rcu_read_lock() and unlock(). */
void glue_link_for_each(struct iommu_table *table,
			void (*visit)(const struct glue_pe *pe, void *data), void *data);

GLUE_END

#endif

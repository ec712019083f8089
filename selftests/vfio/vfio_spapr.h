/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VFIO userspace interface of a POWER host, as thin wrappers.
 *
 * Every wrapper of an ioctl returns -errno when the call failed and otherwise exactly what the
 * ioctl returned. A positive result is handed through: the interface has none for these calls,
 * so a test has to see it.
 */
#ifndef SELFTESTS_VFIO_SPAPR_H
#define SELFTESTS_VFIO_SPAPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

#include "edu.h"

#define SPAPR_MAX_GROUPS	2

#define MAP_RO	VFIO_DMA_MAP_FLAG_READ
#define MAP_WO	VFIO_DMA_MAP_FLAG_WRITE
#define MAP_RW	(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

#define TCE_SHIFT_4K	12
#define TCE_SHIFT_64K	16
#define TCE_SHIFT_2M	21
#define TCE_SHIFT_16M	24
#define TCE_PAGE_4K	(1UL << TCE_SHIFT_4K)

#define KIB	(1UL << 10)
#define MIB	(1UL << 20)
#define GIB	(1UL << 30)
#define TIB	(1UL << 40)

/* An IOMMU group that has an edu device bound to vfio-pci, as sysfs tells. */
struct spapr_group {
	int number;
	char device[32];	/* domain:bus:slot.function */
};

/* A container with its groups. A file descriptor that is not open is -1. */
struct spapr {
	struct spapr_group group[SPAPR_MAX_GROUPS];
	int container;
	int group_fd[SPAPR_MAX_GROUPS];
	struct edu edu[SPAPR_MAX_GROUPS];
};

/* Bytes of a page of this process's memory, the unit of registration. */
size_t page_size(void);

/* Fills in up to max groups in the order of their addresses; returns how many there are. */
int spapr_discover(struct spapr_group *group, int max);

/* The machine is a partition: each group's tables are its own, at addresses of the firmware's choice. */
bool spapr_is_partition(void);
/* The driver was told to use the TCE tables of the kernel's own platform code. */
bool spapr_has_kernel_tables(void);
/* Windows can be created in the container, as the driver tells. */
bool spapr_has_dynamic_windows(int container);
/* The partitions of some hypervisors have no EEH. */
bool spapr_has_no_eeh(int container);

/* Takes the group's device from vfio-pci, and gives it back. */
int spapr_unbind(const struct spapr_group *group);
int spapr_bind(const struct spapr_group *group);

/* Forgets everything, so that spapr_close() is always safe. */
void spapr_init(struct spapr *s);
/* Opens a container of the v2 type with the first `groups` groups in it. */
int spapr_open(struct spapr *s, int groups);
/* Opens a container of the v2 type with one group, of the given index, in it. */
int spapr_open_group(struct spapr *s, int index);
/* Opens a container of the v1 type, not enabled, with one group, of the given index, in it. */
int spapr_open_v1(struct spapr *s, int index);
/* Opens a container of one of the types VFIO_TYPE1(v2)_IOMMU with the first `groups` groups in it. */
int spapr_open_type1(struct spapr *s, int groups, unsigned long type);
/* Opens the group and puts it into the container. */
int spapr_attach(struct spapr *s, int index);
/* Closes the group's device and takes the group out of the container. */
int spapr_detach(struct spapr *s, int index);
/* Opens the device of an attached group, ready for DMA. */
int spapr_open_device(struct spapr *s, int index);
void spapr_close(struct spapr *s);

int spapr_ioctl(int fd, unsigned long request, void *arg);
int spapr_check_extension(int container, unsigned long extension);
int spapr_set_iommu(int container, unsigned long type);
int spapr_get_info(int container, struct vfio_iommu_spapr_tce_info *info);
int spapr_enable(int container);
int spapr_disable(int container);
int spapr_register(int container, const void *start, size_t size);
int spapr_unregister(int container, const void *start, size_t size);
int spapr_map(int container, uint64_t iova, const void *start, uint64_t size, uint32_t flags);
int spapr_unmap(int container, uint64_t iova, uint64_t size);
int spapr_create(int container, uint32_t page_shift, uint64_t size, uint32_t levels,
		 uint64_t *start);
int spapr_remove(int container, uint64_t start);
/* An operation of EEH, but VFIO_EEH_PE_INJECT_ERR. */
int spapr_eeh(int container, uint32_t operation);
/*
 * Ends a reset as a client does, which also puts back the BARs. Returns the state that the PE is in
 * then.
 */
int spapr_eeh_end_reset(int container);

/*
 * How many levels a window of pages of 1 << page_shift can have. A level is a page at least, and
 * the bus addresses that the levels make up together have to stay below the 55 bits that a TCE
 * table can translate.
 */
uint32_t spapr_possible_levels(const struct vfio_iommu_spapr_tce_info *info, uint32_t page_shift);

/*
 * How far the smallest leaf of a table of several levels and 4K pages reaches: a leaf is a page of
 * this machine at least.
 */
uint64_t spapr_leaf_reach(void);

/*
 * Gives up the default window and creates one of 4K pages in its place, at address 0. Where the
 * firmware's window is the only one, that is larger; partitions have one level.
 */
int spapr_create_at_0(int container, uint64_t size, uint32_t levels);
/* How many levels a window gets where `wanted` would do: partitions have one. */
uint32_t spapr_levels(uint32_t wanted);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's edu device, driven through vfio-pci: a DMA engine with a buffer of 4 KiB.
 *
 * It is the witness of these tests. What the device could fetch or store tells whether a TCE is
 * there, whatever the ioctls said. A transfer takes 100 ms of guest time, so tests use few.
 */
#ifndef SELFTESTS_VFIO_EDU_H
#define SELFTESTS_VFIO_EDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDU_VENDOR_ID	0x1234
#define EDU_DEVICE_ID	0x11e8
#define EDU_BUFFER_SIZE	4096

struct edu {
	int fd;			/* the vfio device, or -1 */
	volatile uint8_t *bar;
	size_t bar_size;
	bool swapped;		/* registers are in the byte order of the QEMU target */
};

void edu_init(struct edu *edu);
/* Opens the device, maps its registers and makes it a bus master. */
int edu_open(struct edu *edu, int group_fd, const char *device);
/* The same for a device that nobody uses: as the host has it, without VFIO. Needs root. */
int edu_open_without_vfio(struct edu *edu, const char *device);
void edu_close(struct edu *edu);
/* Makes an open device a bus master, as it has to be again after a reset. */
int edu_enable(const struct edu *edu);

/* The device copies `size` bytes at the bus address to the start of its buffer. */
int edu_fetch(struct edu *edu, uint64_t iova, size_t size);
/* The device copies the start of its buffer to the bus address. */
int edu_store(struct edu *edu, uint64_t iova, size_t size);

/* The same in two parts, for several devices at the same time. */
void edu_begin_fetch(const struct edu *edu, uint64_t iova, size_t size);
void edu_begin_store(const struct edu *edu, uint64_t iova, size_t size);
int edu_finish(const struct edu *edu);

#endif

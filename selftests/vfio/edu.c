// SPDX-License-Identifier: GPL-2.0-only
#include "edu.h"

#include <byteswap.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "slowness.h"

#define EDU_REG_ID		0x00
#define EDU_REG_DMA_SOURCE	0x80
#define EDU_REG_DMA_TARGET	0x88
#define EDU_REG_DMA_COUNT	0x90
#define EDU_REG_DMA_COMMAND	0x98

#define EDU_ID_VALUE		0xedu
#define EDU_ID_MASK		0xffu
#define EDU_BUFFER_ADDRESS	0x40000

#define EDU_DMA_RUN		0x1
#define EDU_DMA_TO_MEMORY	0x2

/* How long a transfer takes, and the most that it may take. */
#define EDU_DMA_MS		100
#define EDU_DMA_TIMEOUT_MS	5000

void edu_init(struct edu *edu)
{
	memset(edu, 0, sizeof(*edu));
	edu->fd = -1;
}

static uint64_t reg_read(const struct edu *edu, unsigned int offset)
{
	uint64_t value = *(const volatile uint64_t *)(edu->bar + offset);

	return edu->swapped ? bswap_64(value) : value;
}

static void reg_write(const struct edu *edu, unsigned int offset, uint64_t value)
{
	*(volatile uint64_t *)(edu->bar + offset) = edu->swapped ? bswap_64(value) : value;
}

static int region_info(const struct edu *edu, unsigned int index,
		       struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return ioctl(edu->fd, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

/* The configuration space begins at that offset of the file. */
static int enable_by(int fd, off_t config)
{
	uint8_t command[2];

	if (pread(fd, command, 2, config + PCI_COMMAND) != 2)
		return -EIO;
	/* The configuration space is little-endian, both bits are in its first byte. */
	command[0] |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(fd, command, 2, config + PCI_COMMAND) != 2)
		return -EIO;
	return 0;
}

int edu_enable(const struct edu *edu)
{
	struct vfio_region_info config;
	int ret;

	ret = region_info(edu, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	return ret ? ret : enable_by(edu->fd, (off_t)config.offset);
}

/* The registers are at that offset of the file. */
static int map_registers_of(struct edu *edu, int fd, off_t offset, size_t size)
{
	uint32_t id;
	void *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (p == MAP_FAILED)
		return -errno;
	edu->bar = p;
	edu->bar_size = size;

	id = *(const volatile uint32_t *)(edu->bar + EDU_REG_ID);
	if ((id & EDU_ID_MASK) == EDU_ID_VALUE)
		edu->swapped = false;
	else if ((bswap_32(id) & EDU_ID_MASK) == EDU_ID_VALUE)
		edu->swapped = true;
	else
		return -ENXIO;
	return 0;
}

static int map_registers(struct edu *edu)
{
	struct vfio_region_info bar;
	int ret;

	ret = region_info(edu, VFIO_PCI_BAR0_REGION_INDEX, &bar);
	return ret ? ret : map_registers_of(edu, edu->fd, (off_t)bar.offset, bar.size);
}

int edu_open(struct edu *edu, int group_fd, const char *device)
{
	int ret;

	edu_init(edu);
	edu->fd = ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, device);
	if (edu->fd < 0)
		return -errno;
	ret = edu_enable(edu);
	if (!ret)
		ret = map_registers(edu);
	if (ret)
		edu_close(edu);
	return ret;
}

static int open_in_sysfs(const char *device, const char *file)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, file);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int edu_open_without_vfio(struct edu *edu, const char *device)
{
	int config = open_in_sysfs(device, "config"), bar = open_in_sysfs(device, "resource0");
	struct stat stat;
	int ret = -ENODEV;

	edu_init(edu);
	if (config >= 0 && bar >= 0 && !fstat(bar, &stat)) {
		ret = enable_by(config, 0);
		if (!ret)
			ret = map_registers_of(edu, bar, 0, (size_t)stat.st_size);
	}
	if (config >= 0)
		close(config);
	if (bar >= 0)
		close(bar);
	if (ret)
		edu_close(edu);
	return ret;
}

void edu_close(struct edu *edu)
{
	if (edu->bar)
		munmap((void *)edu->bar, edu->bar_size);
	if (edu->fd >= 0)
		close(edu->fd);
	edu_init(edu);
}

static void begin(const struct edu *edu, uint64_t source, uint64_t target, size_t size,
		  uint64_t command)
{
	reg_write(edu, EDU_REG_DMA_SOURCE, source);
	reg_write(edu, EDU_REG_DMA_TARGET, target);
	reg_write(edu, EDU_REG_DMA_COUNT, size);
	reg_write(edu, EDU_REG_DMA_COMMAND, command | EDU_DMA_RUN);
}

void edu_begin_fetch(const struct edu *edu, uint64_t iova, size_t size)
{
	begin(edu, iova, EDU_BUFFER_ADDRESS, size, 0);
}

void edu_begin_store(const struct edu *edu, uint64_t iova, size_t size)
{
	begin(edu, EDU_BUFFER_ADDRESS, iova, size, EDU_DMA_TO_MEMORY);
}

int edu_finish(const struct edu *edu)
{
	const struct timespec usual = { .tv_nsec = EDU_DMA_MS * 1000 * 1000 };
	const struct timespec tick = { .tv_nsec = 1000 * 1000 };
	const int most = EDU_DMA_TIMEOUT_MS * (int)slowness();

	for (int ms = 0; ms < most; ms++) {
		if (!(reg_read(edu, EDU_REG_DMA_COMMAND) & EDU_DMA_RUN))
			return 0;
		nanosleep(ms ? &tick : &usual, NULL);
	}
	return -ETIMEDOUT;
}

int edu_fetch(struct edu *edu, uint64_t iova, size_t size)
{
	edu_begin_fetch(edu, iova, size);
	return edu_finish(edu);
}

int edu_store(struct edu *edu, uint64_t iova, size_t size)
{
	edu_begin_store(edu, iova, size);
	return edu_finish(edu);
}

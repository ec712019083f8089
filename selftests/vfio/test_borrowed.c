// SPDX-License-Identifier: GPL-2.0-only
/*
 * The borrowed window: a partition's group without dynamic windows has the one window that its
 * firmware has made, which the user gets and gives back.
 */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE	TCE_PAGE_4K

/* What begins the disk of the lanes' machines: an initramfs. */
#define CPIO_MAGIC	"070701"
#define NVME_CLASS	"0x010802"
#define WAIT_MS		10000

FIXTURE(borrowed)
{
	struct balance balance;
	struct spapr s;
	struct vfio_iommu_spapr_tce_info info;
	int fd;
	struct edu *edu;
	uint8_t *buffer;
	size_t size;
	/* The last page of the buffer, to be mapped at the end of the window. */
	uint8_t *scratch;
	uint64_t start, scratch_iova;
};

FIXTURE_SETUP(borrowed)
{
	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	self->scratch = self->buffer + self->size - PAGE;
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	self->edu = &self->s.edu[0];
	ASSERT_EQ(0, spapr_get_info(self->fd, &self->info));
	if (spapr_has_dynamic_windows(self->fd))
		SKIP(return, "the group has dynamic windows");
	self->start = self->info.dma32_window_start;
	self->scratch_iova = self->start + self->info.dma32_window_size - PAGE;
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
}

FIXTURE_TEARDOWN(borrowed)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

TEST_F(borrowed, d7_get_info_tells_the_truth)
{
	const struct vfio_iommu_spapr_tce_info *info = &self->info;

	EXPECT_EQ(0, info->flags);
	EXPECT_LT(0, info->dma32_window_size);
	EXPECT_EQ(0, info->dma32_window_size % PAGE);
	EXPECT_EQ(PAGE, info->ddw.pgsizes);
	EXPECT_EQ(1, info->ddw.max_dynamic_windows_supported);
	EXPECT_EQ(1, info->ddw.levels);
}

TEST_F(borrowed, d7_default_window_moves_data)
{
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, self->start, self->buffer, 4 * PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, self->start + PAGE, self->buffer + PAGE,
			     self->scratch_iova, self->scratch);
	EXPECT_DEVICE_READS(self->edu, self->start, self->buffer, self->scratch_iova,
			    self->scratch);
	ASSERT_EQ(0, spapr_unmap(self->fd, self->start, 2 * PAGE));
	EXPECT_NO_DEVICE_WRITES(self->edu, self->start + PAGE, self->buffer + PAGE,
				self->scratch_iova, self->scratch);
	EXPECT_DEVICE_WRITES(self->edu, self->start + 2 * PAGE, self->buffer + 2 * PAGE,
			     self->scratch_iova, self->scratch);
	EXPECT_EQ(-ENXIO, spapr_map(self->fd, self->scratch_iova + PAGE, self->buffer, PAGE, MAP_RW));
}

TEST_F(borrowed, d7_create_answers_the_same_window)
{
	uint64_t start = ~0UL;

	ASSERT_EQ(0, spapr_remove(self->fd, self->start));
	EXPECT_EQ(-ENXIO, spapr_map(self->fd, self->start, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, self->info.dma32_window_size, 1, &start));
	EXPECT_EQ(self->start, start);
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, self->start, self->buffer, PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, self->start, self->buffer, self->scratch_iova,
			     self->scratch);
}

TEST_F(borrowed, d7_create_of_another_shape)
{
	const uint64_t size = self->info.dma32_window_size;

	ASSERT_EQ(0, spapr_remove(self->fd, self->start));
	EXPECT_EQ(-EINVAL, spapr_create(self->fd, TCE_SHIFT_4K, size / 2, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->fd, TCE_SHIFT_4K, size * 2, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->fd, TCE_SHIFT_64K, size, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->fd, TCE_SHIFT_4K, size, 0, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->fd, TCE_SHIFT_4K, 0, 1, NULL));
	/* None of these has spoiled anything. */
	EXPECT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, size, 1, NULL));
}

/* QEMU asks for as many levels as it thinks the table needs, and then for more, never for less. */
TEST_F(borrowed, d7_qemu_4_any_number_of_levels)
{
	for (uint32_t levels = 1; levels <= 4; levels++) {
		ASSERT_EQ(0, spapr_remove(self->fd, self->start));
		ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, self->info.dma32_window_size,
					  levels, NULL))
			TH_LOG("%u levels", levels);
	}
}

TEST_F(borrowed, d7_there_is_no_second_window)
{
	const uint64_t size = self->info.dma32_window_size;

	/* The default window takes the only place. */
	EXPECT_EQ(-ENOSPC, spapr_create(self->fd, TCE_SHIFT_4K, size, 1, NULL));
	ASSERT_EQ(0, spapr_remove(self->fd, self->start));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, size, 1, NULL));
	EXPECT_EQ(-ENOSPC, spapr_create(self->fd, TCE_SHIFT_4K, size, 1, NULL));
}

TEST_F(borrowed, d7_window_comes_back_empty)
{
	ASSERT_EQ(0, spapr_map(self->fd, self->start, self->buffer, self->size, MAP_RW));
	ASSERT_EQ(0, spapr_remove(self->fd, self->start));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, self->info.dma32_window_size, 1, NULL));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, self->start, self->buffer, self->scratch_iova,
				self->scratch);
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_unmap(self->fd, self->scratch_iova, PAGE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(borrowed, d7_next_container_gets_an_empty_window)
{
	ASSERT_EQ(0, spapr_map(self->fd, self->start, self->buffer, self->size, MAP_RW));
	spapr_close(&self->s);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, self->start, self->buffer, self->scratch_iova,
				self->scratch);
}

/* --- a device that a driver of the kernel uses before and afterwards ------------------------- */

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool found;

	if (!f)
		return false;
	found = fgets(line, (int)size, f);
	fclose(f);
	if (found)
		line[strcspn(line, "\n")] = '\0';
	return found;
}

static bool write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, line, strlen(line)) == (ssize_t)strlen(line);
	close(fd);
	return written;
}

/* The address of an NVMe controller and its group. */
static bool find_nvme(struct spapr_group *group)
{
	char path[PATH_MAX], text[PATH_MAX];
	struct dirent *entry;
	ssize_t length;
	bool found = false;
	DIR *dir = opendir("/sys/bus/pci/devices");

	while (!found && dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", entry->d_name);
		if (!read_line(path, text, sizeof(text)) || strcmp(text, NVME_CLASS))
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", entry->d_name);
		length = readlink(path, text, sizeof(text) - 1);
		if (length < 0 || strlen(entry->d_name) >= sizeof(group->device))
			continue;
		text[length] = '\0';
		group->number = atoi(strrchr(text, '/') + 1);
		strcpy(group->device, entry->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Gives the device to a driver; the one that has it now loses it. */
static bool rebind(const char *device, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", device);
	if (!access(path, F_OK) && !write_line(path, device))
		return false;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", device);
	return write_line(path, driver) && write_line("/sys/bus/pci/drivers_probe", device);
}

/* The host's driver reads the disk by DMA; nothing else writes into a buffer of O_DIRECT. */
static bool disk_is_readable(void)
{
	const struct timespec tick = { .tv_nsec = 1000 * 1000 };
	uint8_t *page = memory_get(page_size());
	bool good = false;
	int fd = -1;

	for (int ms = 0; ms < WAIT_MS * (int)slowness() && fd < 0; ms++) {
		fd = open("/dev/nvme0n1", O_RDONLY | O_DIRECT | O_CLOEXEC);
		if (fd < 0)
			nanosleep(&tick, NULL);
	}
	if (fd >= 0) {
		good = read(fd, page, page_size()) == (ssize_t)page_size() &&
		       !memcmp(page, CPIO_MAGIC, strlen(CPIO_MAGIC));
		close(fd);
	}
	memory_put(page, page_size());
	return good;
}

TEST(host_driver_gets_its_window_back)
{
	struct vfio_iommu_spapr_tce_info info;
	size_t size = BUFFER_PAGES * page_size();
	uint8_t *buffer;
	struct spapr s;

	spapr_init(&s);
	if (!find_nvme(&s.group[0]))
		SKIP(return, "the machine has no NVMe disk");
	ASSERT_TRUE(disk_is_readable());
	buffer = memory_get(size);

	for (int round = 0; round < 3; round++) {
		ASSERT_TRUE(rebind(s.group[0].device, "vfio-pci"));
		s.container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, s.container);
		ASSERT_EQ(0, spapr_attach(&s, 0));
		ASSERT_EQ(0, spapr_set_iommu(s.container, VFIO_SPAPR_TCE_v2_IOMMU));
		ASSERT_EQ(0, spapr_get_info(s.container, &info));
		ASSERT_EQ(0, spapr_register(s.container, buffer, size));
		/* Also where the driver's own mappings begin, which are at the start. */
		EXPECT_EQ(0, spapr_map(s.container, info.dma32_window_start, buffer, size, MAP_RW));
		spapr_close(&s);

		ASSERT_TRUE(rebind(s.group[0].device, "nvme"));
		EXPECT_TRUE(disk_is_readable())
			TH_LOG("round %d", round);
	}
	memory_put(buffer, size);
}

TEST_HARNESS_MAIN

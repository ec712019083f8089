// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that joins a PE which is in use: the function beside the edu device is removed and found
 * again. The kernel then wants to take the PE for VFIO a second time.
 *
 * Not in partitions: told to look for devices, the kernel itself does not find what was removed, or
 * follows a NULL pointer (pci_dma_find), whoever has the device.
 */
#include "fixture.h"
#include "race.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CYCLES	5
#define PAGE	TCE_PAGE_4K

#define SKIP_WITHOUT_RESCAN() do {							\
	if (spapr_is_partition())							\
		SKIP(return, "the kernel of a partition cannot look for devices");	\
} while (0)

static int write_one(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, "1", 1) != 1)
		ret = -errno;
	close(fd);
	return ret;
}

/* The file of the device beside the group's own, in sysfs. */
static void neighbour_path(const struct spapr_group *group, const char *file, char path[128])
{
	char device[sizeof(group->device)];

	strcpy(device, group->device);
	device[strlen(device) - 1] = '1';
	snprintf(path, 128, "/sys/bus/pci/devices/%s/%s", device, file);
}

/* Takes the neighbour away and has it found again. -ENODEV: it was not. */
static int replug_neighbour(const struct spapr_group *group)
{
	char path[128];
	int ret;

	neighbour_path(group, "remove", path);
	ret = write_one(path);
	if (!ret)
		ret = write_one("/sys/bus/pci/rescan");
	if (!ret && access(path, F_OK))
		ret = -ENODEV;
	return ret;
}

TEST_F(window, d22_a_device_joins_while_memory_is_mapped)
{
	SKIP_WITHOUT_RESCAN();
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_DEVICE_READS(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
	ASSERT_EQ(0, replug_neighbour(&self->s.group[0]));
	/* What is mapped stays so, and the table is one that can be written. */
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
	ASSERT_EQ(0, spapr_map(self->fd, PAGE, self->buffer + PAGE, PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, PAGE, self->buffer + PAGE, self->scratch_iova,
			     self->scratch);
	ASSERT_EQ(0, spapr_unmap(self->fd, PAGE, PAGE));
	EXPECT_NO_DEVICE_WRITES(self->edu, PAGE, self->buffer + PAGE, self->scratch_iova,
				self->scratch);
}

TEST_F(window, d22_a_device_joins_and_the_window_is_removed)
{
	SKIP_WITHOUT_RESCAN();
	ASSERT_EQ(0, replug_neighbour(&self->s.group[0]));
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
	ASSERT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
	/* A new one is as good as any. */
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
}

TEST_F(window, d22_devices_join_many_times)
{
	SKIP_WITHOUT_RESCAN();
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, replug_neighbour(&self->s.group[0]));
		ASSERT_EQ(0, spapr_map(self->fd, i * PAGE, self->buffer, PAGE, MAP_RW));
	}
	EXPECT_DEVICE_READS(self->edu, (CYCLES - 1) * PAGE, self->buffer, self->scratch_iova,
			    self->scratch);
}

TEST_F(window, d22_a_device_joins_with_two_windows)
{
	uint64_t start;

	SKIP_WITHOUT_RESCAN();
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, GIB, 1, &start));
	ASSERT_EQ(0, spapr_map(self->fd, start, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, replug_neighbour(&self->s.group[0]));
	EXPECT_DEVICE_WRITES(self->edu, start, self->buffer, self->scratch_iova, self->scratch);
	ASSERT_EQ(0, spapr_remove(self->fd, start));
}

/* Maps and unmaps all the time, beside what the device goes on with. */
static void *map_and_unmap(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	const int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_map(fd, MIB, race->buffer, race->size, MAP_RW), 0);
		EXPECT_ONE_OF(race, spapr_unmap(fd, MIB, race->size), 0);
	}
	return NULL;
}

static void *replug_again_and_again(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;

	for (int i = 0; i < CYCLES; i++)
		EXPECT_ONE_OF(race, replug_neighbour(&race->s->group[0]), 0);
	atomic_store(&race->stop, true);
	return NULL;
}

TEST_F(window, d22_devices_join_under_load)
{
	struct race race;

	SKIP_WITHOUT_RESCAN();
	balance_pages_slack = 1024;
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	race_init(&race, &self->s, self->buffer, self->size);
	RACE(&race, 0, map_and_unmap, replug_again_and_again);
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

/* Before there is any window, and when the group is nobody's: what follows goes on as always. */
TEST_F(container, a_device_joins_before_there_is_a_window)
{
	SKIP_WITHOUT_RESCAN();
	ASSERT_EQ(0, replug_neighbour(&self->s.group[0]));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
	spapr_close(&self->s);
	ASSERT_EQ(0, replug_neighbour(&self->s.group[0]));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
}

TEST_HARNESS_MAIN

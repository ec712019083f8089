// SPDX-License-Identifier: GPL-2.0-only
/* Several groups: sharing one container, and each with a container of its own. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PAGE TCE_PAGE_4K

#define SKIP_WITHOUT_TWO_GROUPS() do {						\
	struct spapr_group group[SPAPR_MAX_GROUPS];				\
										\
	if (spapr_discover(group, SPAPR_MAX_GROUPS) < 2)			\
		SKIP(return, "there are no two groups with an edu device");	\
} while (0)

/* Two groups in one container, a window of 4K pages, and a page mapped for the devices' use. */
FIXTURE(shared)
{
	struct balance balance;
	struct spapr s;
	int fd;
	struct edu *edu;
	uint8_t *buffer;
	size_t size;
	uint8_t *scratch;
	uint64_t scratch_iova;
};

FIXTURE_SETUP(shared)
{
	balance_take(&self->balance);
	SKIP_WITHOUT_TWO_GROUPS();
	SKIP_ON_PARTITIONS();
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	self->scratch = self->buffer + self->size - PAGE;
	self->scratch_iova = WINDOW_SIZE - PAGE;
	ASSERT_EQ(0, spapr_open(&self->s, 2));
	self->fd = self->s.container;
	self->edu = self->s.edu;
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
}

FIXTURE_TEARDOWN(shared)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

TEST_F(shared, both_devices_see_every_mapping)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	for (int i = 0; i < 2; i++)
		EXPECT_DEVICE_WRITES(&self->edu[i], 0, self->buffer, self->scratch_iova,
				     self->scratch);
	/* And lose it together: the TLB of both has to forget. */
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
	for (int i = 0; i < 2; i++)
		EXPECT_NO_DEVICE_WRITES(&self->edu[i], 0, self->buffer, self->scratch_iova,
					self->scratch);
}

TEST_F(shared, both_devices_see_a_remap)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	for (int i = 0; i < 2; i++)
		EXPECT_DEVICE_READS(&self->edu[i], 0, self->buffer, self->scratch_iova,
				    self->scratch);
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer + PAGE, PAGE, MAP_RW));
	for (int i = 0; i < 2; i++)
		EXPECT_DEVICE_READS(&self->edu[i], 0, self->buffer + PAGE, self->scratch_iova,
				    self->scratch);
}

TEST_F(shared, d4_detach_of_the_second_keeps_the_first)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_detach(&self->s, 1));
	EXPECT_DEVICE_WRITES(&self->edu[0], 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(shared, d4_detach_of_the_first_keeps_the_second)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_DEVICE_WRITES(&self->edu[1], 0, self->buffer, self->scratch_iova, self->scratch);
}

/* Memory stays registered and in use as long as one group is left. */
TEST_F(shared, d4_detach_keeps_the_mappings_counted)
{
	ASSERT_EQ(0, spapr_detach(&self->s, 1));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unmap(self->fd, self->scratch_iova, PAGE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(shared, d4_detached_group_comes_back_to_the_same_mappings)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_detach(&self->s, 1));
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	for (int i = 0; i < 2; i++)
		EXPECT_DEVICE_WRITES(&self->edu[i], 0, self->buffer, self->scratch_iova,
				     self->scratch);
}

TEST_F(shared, window_of_a_remaining_group_can_be_replaced)
{
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, 2 * WINDOW_SIZE, 1, NULL));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, WINDOW_SIZE, self->buffer, PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(&self->edu[1], WINDOW_SIZE, self->buffer, self->scratch_iova,
			     self->scratch);
}

TEST_F(shared, remove_takes_the_window_from_both)
{
	uint8_t *page = self->buffer;

	ASSERT_EQ(0, spapr_map(self->fd, 0, page, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
	for (int i = 0; i < 2; i++) {
		pattern_fill(page, PAGE, 0x44);
		EXPECT_EQ(0, edu_store(&self->edu[i], 0, EDU_BUFFER_SIZE));
		EXPECT_TRUE(pattern_is(page, PAGE, 0x44));
	}
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(shared, windows_in_both_places)
{
	uint64_t start;

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 2, &start));
	ASSERT_EQ(0, spapr_map(self->fd, start, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-ENOSPC, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	ASSERT_EQ(0, spapr_attach(&self->s, 0));
	EXPECT_EQ(0, spapr_remove(self->fd, start));
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
}

TEST_F(shared, close_with_both_attached_and_mapped)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, self->size, MAP_RW));
	spapr_close(&self->s);
	EXPECT_EQ(0, balance_locked_kib());
}

/* The last group takes the container's type with it. */
TEST_F(shared, detach_of_all_ends_the_container)
{
	struct vfio_iommu_spapr_tce_info info;

	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	ASSERT_EQ(0, spapr_detach(&self->s, 1));
	EXPECT_EQ(0, balance_locked_kib());
	EXPECT_EQ(-EINVAL, spapr_get_info(self->fd, &info));
	/* And it can be given one again. */
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_set_iommu(self->fd, VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_EQ(0, spapr_get_info(self->fd, &info));
	EXPECT_EQ(-EPERM, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
}

/* Hot plug: the container has windows and mappings when the second group comes. */
TEST_F(container, qemu_7_attach_after_windows_exist)
{
	uint8_t *scratch = self->buffer + PAGE;
	int fd = self->s.container;

	SKIP_ON_PARTITIONS();
	SKIP_WITHOUT_TWO_GROUPS();
	ASSERT_EQ(0, spapr_create_at_0(fd, GIB, 2));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(fd, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(fd, 8 * MIB, scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	EXPECT_DEVICE_WRITES(&self->s.edu[1], 0, self->buffer, 8 * MIB, scratch);
}

TEST_F(container, attach_before_the_default_window_exists)
{
	uint8_t *scratch = self->buffer + PAGE;
	int fd = self->s.container;

	SKIP_ON_PARTITIONS();
	SKIP_WITHOUT_TWO_GROUPS();
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(fd, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(fd, MIB, scratch, PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(&self->s.edu[1], 0, self->buffer, MIB, scratch);
}

/* The default window was given up; a later group does not bring it back. */
TEST_F(container, attach_after_the_default_window_was_removed)
{
	SKIP_ON_PARTITIONS();
	SKIP_WITHOUT_TWO_GROUPS();
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	EXPECT_EQ(-ENXIO, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
}

/* ---- Joining and leaving at any time ---- */

/* What there is in the container when the second group joins. */
enum stage {
	NOTHING_YET, DEFAULT_REMOVED, DEFAULT_IN_USE, ONE_WINDOW, TWO_WINDOWS, AFTER_REPLACEMENT,
	STAGES
};

/*
 * Brings a new container with one group up to a stage. Returns where the last window is or will
 * be, or a negative errno.
 */
static int64_t reach_stage(int fd, enum stage stage, const uint8_t *buffer, size_t size)
{
	uint64_t start = 0;
	int ret;

	ret = spapr_register(fd, buffer, size);
	if (!ret && stage == DEFAULT_IN_USE)
		ret = spapr_map(fd, 4 * MIB, buffer, PAGE, MAP_RW);
	if (!ret && (stage == DEFAULT_REMOVED || stage > DEFAULT_IN_USE))
		ret = spapr_remove(fd, 0);
	if (!ret && stage > DEFAULT_IN_USE)
		ret = spapr_create(fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL);
	if (!ret && stage > ONE_WINDOW)
		ret = spapr_create(fd, TCE_SHIFT_4K, GIB, 2, &start);
	/* The first place is empty, the second one is not. */
	if (!ret && stage == AFTER_REPLACEMENT)
		ret = spapr_remove(fd, 0);
	return ret ? ret : (int64_t)start;
}

FIXTURE(joining)
{
	struct balance balance;
	struct spapr s;
	int fd;
	uint8_t *buffer;
	size_t size;
};

FIXTURE_VARIANT(joining)
{
	enum stage stage;
};

FIXTURE_VARIANT_ADD(joining, before_anything) { .stage = NOTHING_YET };
FIXTURE_VARIANT_ADD(joining, default_removed) { .stage = DEFAULT_REMOVED };
FIXTURE_VARIANT_ADD(joining, default_in_use) { .stage = DEFAULT_IN_USE };
FIXTURE_VARIANT_ADD(joining, one_window) { .stage = ONE_WINDOW };
FIXTURE_VARIANT_ADD(joining, two_windows) { .stage = TWO_WINDOWS };
FIXTURE_VARIANT_ADD(joining, only_the_second_window) { .stage = AFTER_REPLACEMENT };

FIXTURE_SETUP(joining)
{
	balance_take(&self->balance);
	SKIP_WITHOUT_TWO_GROUPS();
	SKIP_ON_PARTITIONS();
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
}

FIXTURE_TEARDOWN(joining)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

/* Both devices reach what was mapped before and after; then they leave, either one first. */
static void join_and_leave(struct __test_metadata *_metadata, FIXTURE_DATA(joining) *self,
			   enum stage stage, int leaves_first)
{
	const int stays = !leaves_first;
	uint8_t *before = self->buffer, *scratch = before + PAGE, *after = before + 2 * PAGE;
	const int64_t window = reach_stage(self->fd, stage, self->buffer, self->size);

	ASSERT_LE(0, window);
	if (stage != NOTHING_YET && stage != DEFAULT_REMOVED)
		ASSERT_EQ(0, spapr_map(self->fd, (uint64_t)window + MIB, before, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	if (stage == DEFAULT_REMOVED)
		ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	ASSERT_EQ(0, spapr_map(self->fd, (uint64_t)window + MIB, before, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, (uint64_t)window, scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, (uint64_t)window + 2 * MIB, after, PAGE, MAP_RW));
	for (int i = 0; i < 2; i++) {
		EXPECT_DEVICE_WRITES(&self->s.edu[i], (uint64_t)window + MIB, before,
				     (uint64_t)window, scratch);
		EXPECT_DEVICE_WRITES(&self->s.edu[i], (uint64_t)window + 2 * MIB, after,
				     (uint64_t)window, scratch);
	}
	ASSERT_EQ(0, spapr_detach(&self->s, leaves_first));
	EXPECT_DEVICE_WRITES(&self->s.edu[stays], (uint64_t)window + MIB, before,
			     (uint64_t)window, scratch);
	/* The one that stays can still map, unmap, and have other windows. */
	ASSERT_EQ(0, spapr_unmap(self->fd, (uint64_t)window + MIB, PAGE));
	EXPECT_NO_DEVICE_WRITES(&self->s.edu[stays], (uint64_t)window + MIB, before,
				(uint64_t)window, scratch);
	EXPECT_EQ(0, spapr_remove(self->fd, (uint64_t)window));
	EXPECT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	/* The last one out. */
	ASSERT_EQ(0, spapr_detach(&self->s, stays));
	EXPECT_EQ(0, balance_locked_kib());
}

TEST_F(joining, d4_the_first_leaves_first)
{
	join_and_leave(_metadata, self, variant->stage, 0);
}

TEST_F(joining, d4_the_second_leaves_first)
{
	join_and_leave(_metadata, self, variant->stage, 1);
}

TEST_F(shared, d4_detach_keeps_the_second_window)
{
	uint64_t start;

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, GIB, 3, &start));
	ASSERT_EQ(0, spapr_map(self->fd, start, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_DEVICE_WRITES(&self->edu[1], start, self->buffer, self->scratch_iova, self->scratch);
	/* The one that left comes back to it. */
	ASSERT_EQ(0, spapr_attach(&self->s, 0));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	EXPECT_DEVICE_WRITES(&self->edu[0], start, self->buffer, self->scratch_iova, self->scratch);
}

/* In and out again and again, by turns: the other one's DMA never stops. */
TEST_F(shared, d4_groups_take_turns)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	for (int i = 0; i < 6; i++) {
		const int leaves = i % 2;

		ASSERT_EQ(0, spapr_detach(&self->s, leaves));
		EXPECT_DEVICE_WRITES(&self->edu[!leaves], 0, self->buffer, self->scratch_iova,
				     self->scratch);
		ASSERT_EQ(0, spapr_attach(&self->s, leaves));
		ASSERT_EQ(0, spapr_open_device(&self->s, leaves));
		EXPECT_DEVICE_WRITES(&self->edu[leaves], 0, self->buffer, self->scratch_iova,
				     self->scratch);
	}
}

/* The VFIO core answers these, and the container is as it was. */
TEST_F(shared, the_same_group_again)
{
	struct spapr other = { .container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC) };

	ASSERT_LE(0, other.container);
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	/* The group has a container: this one, and then any other. */
	EXPECT_EQ(-EINVAL, spapr_attach(&self->s, 0));
	EXPECT_EQ(-EINVAL, spapr_ioctl(self->s.group_fd[0], VFIO_GROUP_SET_CONTAINER,
				       &other.container));
	EXPECT_DEVICE_WRITES(&self->edu[0], 0, self->buffer, self->scratch_iova, self->scratch);
	close(other.container);
}

/* One process, two containers, one group in each. */
FIXTURE(separate)
{
	struct balance balance;
	struct spapr s[2];
	uint8_t *buffer;
	size_t size;
};

FIXTURE_SETUP(separate)
{
	balance_take(&self->balance);
	SKIP_WITHOUT_TWO_GROUPS();
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, spapr_open_group(&self->s[i], i));
		ASSERT_EQ(0, spapr_open_device(&self->s[i], i));
		ASSERT_EQ(0, spapr_create_at_0(self->s[i].container, WINDOW_SIZE, 1));
	}
}

FIXTURE_TEARDOWN(separate)
{
	memory_put(self->buffer, self->size);
	spapr_close(&self->s[0]);
	CHECK_BALANCE(&self->s[1], &self->balance);
}

TEST_F(separate, qemu_7_the_same_memory_in_two_containers)
{
	uint8_t *scratch = self->buffer + PAGE;

	for (int i = 0; i < 2; i++) {
		int fd = self->s[i].container;

		ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
		ASSERT_EQ(0, spapr_map(fd, 0, self->buffer, PAGE, MAP_RW));
		ASSERT_EQ(0, spapr_map(fd, MIB, scratch, PAGE, MAP_RW));
	}
	/* What one container does with it is of no concern to the other. */
	spapr_close(&self->s[0]);
	EXPECT_DEVICE_WRITES(&self->s[1].edu[1], 0, self->buffer, MIB, scratch);
	EXPECT_EQ(-EBUSY, spapr_register(self->s[1].container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unmap(self->s[1].container, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->s[1].container, self->buffer, self->size));
}

TEST_F(separate, a_mapping_is_private_to_its_container)
{
	uint8_t *scratch = self->buffer + PAGE;
	int fd = self->s[1].container;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, spapr_register(self->s[i].container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(self->s[0].container, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(fd, MIB, scratch, PAGE, MAP_RW));
	EXPECT_NO_DEVICE_WRITES(&self->s[1].edu[1], 0, self->buffer, MIB, scratch);
}

TEST_F(separate, map_of_what_the_other_has_registered)
{
	uint8_t *other = memory_get(page_size());

	ASSERT_EQ(0, spapr_register(self->s[0].container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_register(self->s[1].container, other, page_size()));
	EXPECT_EQ(-EINVAL, spapr_map(self->s[1].container, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(0, spapr_map(self->s[1].container, 0, other, PAGE, MAP_RW));
	memory_put(other, page_size());
}

TEST_F(separate, unregister_of_what_the_other_has_registered)
{
	ASSERT_EQ(0, spapr_register(self->s[0].container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_register(self->s[1].container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unregister(self->s[1].container, self->buffer, self->size));
	EXPECT_EQ(-ENOENT, spapr_unregister(self->s[1].container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_map(self->s[0].container, 0, self->buffer, PAGE, MAP_RW));
}

/* A group that changes over to another container leaves its mappings behind. */
TEST_F(separate, moved_group_has_lost_its_old_mappings)
{
	uint8_t *scratch = self->buffer + PAGE;

	SKIP_ON_PARTITIONS();
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, spapr_register(self->s[i].container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(self->s[0].container, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->s[1].container, MIB, scratch, PAGE, MAP_RW));
	/* The second container takes the first group in. */
	spapr_close(&self->s[0]);
	ASSERT_EQ(0, spapr_attach(&self->s[1], 0));
	ASSERT_EQ(0, spapr_open_device(&self->s[1], 0));
	EXPECT_NO_DEVICE_WRITES(&self->s[1].edu[0], 0, self->buffer, MIB, scratch);
}

TEST_HARNESS_MAIN

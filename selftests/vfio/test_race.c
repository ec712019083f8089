// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of one process against each other. What a call returns depends on who was first, so
 * each test says which results are possible at all, and checks what is left in the end.
 *
 * A driver without proper locking takes the kernel with it: run this program last, or in a boot
 * of its own, with at least two CPUs.
 */
#include "fixture.h"
#include "race.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE TCE_PAGE_4K

#define RACE_SECONDS	4

__attribute__((constructor)) static void allow_for_threads(void)
{
	balance_pages_slack = 1024;
}

static void *map_and_unmap(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		const uint64_t iova = race_random(r) % 1024 * PAGE;
		const uint64_t size = (1 + race_random(r) % 8) * PAGE;

		EXPECT_ONE_OF(race, spapr_map(fd, iova, race->buffer, size, MAP_RW), 0, -ENXIO);
		EXPECT_ONE_OF(race, spapr_unmap(fd, iova, size), 0, -ENXIO);
	}
	return NULL;
}

static void *create_and_remove(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int fd = race->s->container, ret;
	uint64_t start;

	while (!atomic_load(&race->stop)) {
		ret = spapr_create(fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start);
		EXPECT_ONE_OF(race, ret, 0, -ENOSPC);
		if (!ret)
			EXPECT_ONE_OF(race, spapr_remove(fd, start), 0);
	}
	return NULL;
}

/* Removes and creates whatever is at 0, and leaves what is left to the others. */
static void *create_and_remove_multilevel(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_create(fd, TCE_SHIFT_4K, GIB, 2, NULL), 0, -ENOSPC);
		EXPECT_ONE_OF(race, spapr_remove(fd, 0), 0, -EINVAL);
	}
	return NULL;
}

/* Removes all that may be there and lets go of the memory, which shows a lost count. */
static int release_all(const struct race *race)
{
	int fd = race->s->container;

	spapr_remove(fd, 0);
	spapr_remove(fd, 1UL << 59);
	return spapr_unregister(fd, race->buffer, race->size);
}

TEST_F(container, d8_map_against_create_and_remove)
{
	struct race race;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	race_init(&race, &self->s, self->buffer, self->size);
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	RACE(&race, RACE_SECONDS, map_and_unmap, map_and_unmap, create_and_remove);
	EXPECT_EQ(0, release_all(&race));
}

TEST_F(container, d8_map_against_create_and_remove_of_levels)
{
	struct race race;

	if (spapr_is_partition())
		SKIP(return, "tables of partitions have one level");
	race_init(&race, &self->s, self->buffer, self->size);
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	RACE(&race, RACE_SECONDS, map_and_unmap, map_and_unmap, create_and_remove_multilevel);
	EXPECT_EQ(0, release_all(&race));
}

/* All of the threads work on the same few pages, through and past each other. */
static void *map_and_unmap_the_same(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_map(fd, 0, race->buffer, 8 * PAGE, MAP_RW), 0);
		if (race_random(r) % 2)
			EXPECT_ONE_OF(race, spapr_unmap(fd, 0, 8 * PAGE), 0);
	}
	return NULL;
}

TEST_F(container, map_and_unmap_of_the_same_pages)
{
	struct race race;

	race_init(&race, &self->s, self->buffer, self->size);
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	RACE(&race, RACE_SECONDS, map_and_unmap_the_same, map_and_unmap_the_same,
	     map_and_unmap_the_same);
	EXPECT_EQ(0, spapr_unmap(self->s.container, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
}

static void *map_own_page_in_each_leaf(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;
	const uint64_t leaf = spapr_leaf_reach();

	for (uint64_t start = 0; start + leaf <= GIB; start += leaf) {
		pthread_barrier_wait(&race->barrier);
		EXPECT_ONE_OF(race, spapr_map(fd, start + r->number * PAGE, race->buffer, PAGE,
					      MAP_RW), 0);
	}
	return NULL;
}

TEST_F(container, past_6_two_threads_map_into_the_same_empty_leaf)
{
	struct race race;

	race_init(&race, &self->s, self->buffer, self->size);
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, GIB, 2));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	RACE(&race, 0, map_own_page_in_each_leaf, map_own_page_in_each_leaf);
	EXPECT_EQ(0, spapr_unmap(self->s.container, 0, GIB));
	EXPECT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
}

static void *map_once(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;

	pthread_barrier_wait(&race->barrier);
	EXPECT_ONE_OF(race, spapr_map(race->s->container, r->number * PAGE, race->buffer, PAGE,
				      MAP_RW), 0);
	return NULL;
}

/* The first maps of several threads: one of them makes the window, the others find it. */
TEST_F(container, default_window_is_created_once)
{
	struct race race;
	long once = 0;

	race_init(&race, &self->s, self->buffer, self->size);
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
		if (i) {
			RACE(&race, 0, map_once, map_once, map_once);
			EXPECT_EQ(once, balance_locked_kib());
		} else {
			RACE(&race, 0, map_once);
			once = balance_locked_kib();
		}
		/* The place of the second window is free. */
		EXPECT_EQ(-ENXIO, spapr_unmap(self->s.container, 1UL << 59, PAGE));
		ASSERT_EQ(0, spapr_detach(&self->s, 0));
		ASSERT_EQ(0, spapr_attach(&self->s, 0));
		ASSERT_EQ(0, spapr_set_iommu(self->s.container, VFIO_SPAPR_TCE_v2_IOMMU));
	}
}

static void *attach_and_detach_the_second(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_attach(race->s, 1), 0);
		EXPECT_ONE_OF(race, spapr_detach(race->s, 1), 0);
	}
	return NULL;
}

TEST_F(container, map_against_attach_and_detach_of_a_second_group)
{
	struct spapr_group group[SPAPR_MAX_GROUPS];
	struct race race;

	SKIP_ON_PARTITIONS();
	if (spapr_discover(group, SPAPR_MAX_GROUPS) < 2)
		SKIP(return, "there are no two groups with an edu device");
	race_init(&race, &self->s, self->buffer, self->size);
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	RACE(&race, RACE_SECONDS, map_and_unmap, map_and_unmap, attach_and_detach_the_second);
	EXPECT_EQ(0, spapr_unmap(self->s.container, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
}

static void *unset_and_set_container(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	struct spapr *s = race->s;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_detach(s, 0), 0);
		EXPECT_ONE_OF(race, spapr_attach(s, 0), 0);
		EXPECT_ONE_OF(race, spapr_set_iommu(s->container, VFIO_SPAPR_TCE_v2_IOMMU), 0);
		EXPECT_ONE_OF(race, spapr_create_at_0(s->container, WINDOW_SIZE, 1), 0);
		EXPECT_ONE_OF(race, spapr_register(s->container, race->buffer, race->size), 0);
	}
	return NULL;
}

static void *map_in_whatever_there_is(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		const uint64_t iova = race_random(r) % 1024 * PAGE;

		/*
		 * The container has no type: EINVAL. It has lost it just now: ENODEV. It is new:
		 * EPERM. It has no window: ENXIO.
		 */
		EXPECT_ONE_OF(race, spapr_map(fd, iova, race->buffer, PAGE, MAP_RW),
			      0, -EINVAL, -ENODEV, -EPERM, -ENXIO);
		EXPECT_ONE_OF(race, spapr_unmap(fd, iova, PAGE),
			      0, -EINVAL, -ENODEV, -EPERM, -ENXIO);
	}
	return NULL;
}

/* The container changes its type's state under the feet of the other threads' calls. */
TEST_F(container, map_against_unset_container)
{
	struct race race;

	race_init(&race, &self->s, self->buffer, self->size);
	RACE(&race, RACE_SECONDS, map_in_whatever_there_is, map_in_whatever_there_is,
	     unset_and_set_container);
}

static void *register_and_unregister(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container, ret;

	while (!atomic_load(&race->stop)) {
		const size_t pages = 1 + race_random(r) % 4;
		const size_t first = race_random(r) % (BUFFER_PAGES - 4);
		uint8_t *start = race->buffer + first * page_size();

		ret = spapr_register(fd, start, pages * page_size());
		EXPECT_ONE_OF(race, ret, 0, -EBUSY, -EINVAL, -EFAULT);
		if (!ret)
			EXPECT_ONE_OF(race, spapr_unregister(fd, start, pages * page_size()), 0);
	}
	return NULL;
}

static void *mmap_and_munmap(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;

	while (!atomic_load(&race->stop)) {
		uint8_t *page = race->buffer + race_random(r) % BUFFER_PAGES * page_size();

		munmap(page, page_size());
		if (mmap(page, page_size(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			race_note(race, -errno, "mmap");
	}
	return NULL;
}

/* Registering takes the lock of the address space inside the container's. */
TEST_F(container, past_3_register_against_mmap_and_munmap)
{
	struct race race;

	race_init(&race, &self->s, self->buffer, self->size);
	RACE(&race, RACE_SECONDS, register_and_unregister, register_and_unregister, mmap_and_munmap);
	EXPECT_EQ(0, balance_locked_kib());
}

/* What a reset takes, at least, is seconds. */
#define INTO_THE_RESET_US	300000

static void *reset_once(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;

	pthread_barrier_wait(&race->barrier);
	EXPECT_ONE_OF(race, spapr_eeh(race->s->container, VFIO_EEH_PE_RESET_HOT), 0);
	return NULL;
}

static void *detach_the_second_during_a_reset(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;

	pthread_barrier_wait(&race->barrier);
	usleep(INTO_THE_RESET_US);
	EXPECT_ONE_OF(race, spapr_detach(race->s, 1), 0);
	return NULL;
}

/* The groups are reset one after the other; the stock driver begins with the second. */
TEST_F(container, d12_group_leaves_during_a_reset)
{
	struct race race;

	SKIP_WITHOUT_EEH(self->s.container);
	SKIP_ON_PARTITIONS();
	race_init(&race, &self->s, self->buffer, self->size);
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	RACE(&race, 0, reset_once, detach_the_second_during_a_reset);
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh_end_reset(self->s.container));
	EXPECT_EQ(0, spapr_open_device(&self->s, 0));
	EXPECT_EQ(0, spapr_open_device(&self->s, 1));
}

TEST_HARNESS_MAIN

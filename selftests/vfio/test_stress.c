// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, for some time: threads that map and unmap in both windows while these come
 * and go, a group that comes and goes, and DMA. In the end nothing may be left: memory that cannot
 * be released shows a count that went wrong, and the balance shows the rest. In a partition the
 * second group is refused, and without dynamic windows the other window, too.
 *
 * A driver without locks takes the kernel with it.
 */
#include "fixture.h"
#include "race.h"

#include <errno.h>

#define PAGE TCE_PAGE_4K

#define STRESS_SECONDS	12
#define SECOND_WINDOW	(1UL << 59)
/* The window at 0 belongs to the mappers and to the device; nobody removes it. */
#define STEADY_SIZE	(64 * MIB)
/* The threads' part of it, and the device's pages behind. */
#define DEVICE_IOVA	(STEADY_SIZE / 2)

__attribute__((constructor)) static void allow_for_threads(void)
{
	balance_pages_slack = 1024;
}

/* Maps and unmaps at random in the steady window, where nothing of it can fail. */
static void *map_in_the_steady_window(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		const uint64_t iova = race_random(r) % (DEVICE_IOVA / PAGE - 64) * PAGE;
		const uint64_t size = (1 + race_random(r) % 32) * PAGE;

		EXPECT_ONE_OF(race, spapr_map(fd, iova, race->buffer, size, MAP_RW), 0);
		/* Some stay: the other thread maps over them or unmaps them. */
		if (race_random(r) % 4)
			EXPECT_ONE_OF(race, spapr_unmap(fd, iova, size), 0);
	}
	return NULL;
}

/* The same in the other window, which may or may not be there, with few or many levels. */
static void *map_in_the_other_window(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		const uint64_t iova = SECOND_WINDOW + race_random(r) % 4096 * PAGE;
		const uint64_t size = (1 + race_random(r) % 16) * PAGE;

		EXPECT_ONE_OF(race, spapr_map(fd, iova, race->buffer, size, MAP_RW), 0, -ENXIO);
		EXPECT_ONE_OF(race, spapr_unmap(fd, iova, size), 0, -ENXIO);
	}
	return NULL;
}

static void *create_and_remove_the_other_window(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;
	const bool only_the_firmwares = spapr_is_partition() && !spapr_has_dynamic_windows(fd);
	const uint32_t most_levels = spapr_levels(3);
	uint64_t start;

	while (!atomic_load(&race->stop)) {
		const uint32_t levels = 1 + race_random(r) % most_levels;

		if (only_the_firmwares) {
			EXPECT_ONE_OF(race, spapr_create(fd, TCE_SHIFT_4K, GIB, 1, &start), -ENOSPC);
			continue;
		}
		start = 0;
		EXPECT_ONE_OF(race, spapr_create(fd, TCE_SHIFT_4K, GIB, levels, &start), 0);
		if (start != SECOND_WINDOW)
			race_note(race, 0, "spapr_create: start");
		EXPECT_ONE_OF(race, spapr_remove(fd, SECOND_WINDOW), 0);
	}
	return NULL;
}

static void *attach_and_detach_the_second_group(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	const bool refused = spapr_is_partition();

	while (!atomic_load(&race->stop)) {
		if (refused) {
			EXPECT_ONE_OF(race, spapr_attach(race->s, 1), -EPERM);
			continue;
		}
		EXPECT_ONE_OF(race, spapr_attach(race->s, 1), 0);
		EXPECT_ONE_OF(race, spapr_detach(race->s, 1), 0);
	}
	return NULL;
}

/* Registers and releases memory beside that of the mappers. */
static void *register_and_release(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;
	const size_t size = 8 * page_size();
	uint8_t *p = memory_get(size);

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_register(fd, p, size), 0);
		EXPECT_ONE_OF(race, spapr_map(fd, DEVICE_IOVA + MIB, p, size, MAP_RW), 0);
		EXPECT_ONE_OF(race, spapr_unmap(fd, DEVICE_IOVA + MIB, size), 0);
		EXPECT_ONE_OF(race, spapr_unregister(fd, p, size), 0);
	}
	memory_put(p, size);
	return NULL;
}

/* The device copies a page, again and again; what arrives has to be what was sent. */
static void *move_data(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	uint8_t *target = race->buffer + race->size - PAGE, *source = target - PAGE;
	struct edu *edu = &race->s->edu[0];

	for (uint8_t seed = 1; !atomic_load(&race->stop); seed++) {
		pattern_fill(source, PAGE, seed);
		EXPECT_ONE_OF(race, edu_fetch(edu, DEVICE_IOVA, PAGE), 0);
		EXPECT_ONE_OF(race, edu_store(edu, DEVICE_IOVA + PAGE, PAGE), 0);
		if (!pattern_is(target, PAGE, seed))
			race_note(race, seed, "what the device copied");
	}
	return NULL;
}

TEST_F(container, d8_stress)
{
	/* The threads map the first half; the last two pages are the device's. */
	uint8_t *device_pages = self->buffer + self->size - 2 * PAGE;
	struct spapr_group group[SPAPR_MAX_GROUPS];
	int fd = self->s.container;
	struct race race;

	if (spapr_discover(group, SPAPR_MAX_GROUPS) < 2)
		SKIP(return, "there are no two groups with an edu device");
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_create_at_0(fd, STEADY_SIZE, 2));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(fd, DEVICE_IOVA, device_pages, 2 * PAGE, MAP_RW));
	race_init(&race, &self->s, self->buffer, self->size);
	RACE(&race, STRESS_SECONDS, map_in_the_steady_window, map_in_the_steady_window,
	     map_in_the_other_window, map_in_the_other_window, create_and_remove_the_other_window,
	     attach_and_detach_the_second_group, register_and_release, move_data);
	/* Succeeds only if each mapping was counted once and dropped once. */
	EXPECT_EQ(0, spapr_unmap(fd, 0, STEADY_SIZE));
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, self->size));
	EXPECT_EQ(0, spapr_remove(fd, 0));
	EXPECT_EQ(0, balance_locked_kib());
}

TEST_HARNESS_MAIN

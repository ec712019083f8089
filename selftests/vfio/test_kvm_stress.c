// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, with a guest: its CPUs map and unmap at random where the program does, too, while
 * a group, another window and memory come and go, and the device works. It goes on for STRESS_SECONDS,
 * if that is in the environment.
 *
 * A driver without locks takes the kernel with it.
 */
#include "kvm_fixture.h"
#include "race.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#define DEFAULT_SECONDS	12
/* The harness ends a test that takes longer. */
#define MAX_SECONDS	100
/* Everybody's part of the window; the device's pages are behind it. */
#define BUSY_SIZE	(4 * MIB)
#define DEVICE_IOVA	(8 * MIB)
#define CALLS		48
#define LIST_ENTRIES	16

__attribute__((constructor)) static void allow_for_threads(void)
{
	balance_pages_slack = 1024;
}

static const struct guest *the_guest;
static atomic_ulong done_by_kvm;

static uint64_t random_iova(struct racer *r)
{
	return race_random(r) % (BUSY_SIZE / PAGE - 64) * PAGE;
}

/* The last two pages are the device's. */
static uint64_t random_tce(struct racer *r)
{
	return (GUEST_MEMORY + race_random(r) % (BUFFER_PAGES - 2) * page_size()) | TCE_RW;
}

static struct guest_call random_call(struct racer *r)
{
	switch (race_random(r) % 4) {
	case 0:
		return (struct guest_call) {
			.number = H_STUFF_TCE,
			.argument = { LIOBN, random_iova(r), 0, 1 + race_random(r) % 32 },
		};
	case 1:
		return (struct guest_call) {
			.number = H_PUT_TCE_INDIRECT,
			.argument = { LIOBN, random_iova(r), guest_tce_list_address(),
				      1 + race_random(r) % LIST_ENTRIES },
		};
	default:
		return (struct guest_call) {
			.number = H_PUT_TCE,
			.argument = { LIOBN, random_iova(r), random_tce(r) },
		};
	}
}

/* A CPU of the guest, the one of the thread's number. */
static void *guest_works(void *arg)
{
	struct racer *r = arg;
	struct guest_call calls[CALLS];

	while (!atomic_load(&r->race->stop)) {
		for (int i = 0; i < CALLS; i++)
			calls[i] = random_call(r);
		if (guest_run(the_guest, (int)r->number, calls, CALLS, 1 + race_random(r) % 8))
			race_note(r->race, GUEST_STUCK, "guest_run");
		for (int i = 0; i < CALLS; i++) {
			if (calls[i].result == H_SUCCESS)
				atomic_fetch_add(&done_by_kvm, 1);
			else if (calls[i].result != H_TOO_HARD)
				race_note(r->race, (int)calls[i].result, "a hypercall");
		}
	}
	return NULL;
}

static void *program_works(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		const uint64_t iova = random_iova(r), size = (1 + race_random(r) % 32) * PAGE;

		EXPECT_ONE_OF(race, spapr_map(fd, iova, race->buffer, size, MAP_RW), 0);
		if (race_random(r) % 4)
			EXPECT_ONE_OF(race, spapr_unmap(fd, iova, size), 0);
	}
	return NULL;
}

static void *another_window_comes_and_goes(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int fd = race->s->container;
	uint64_t start = 0;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_create(fd, TCE_SHIFT_4K, GIB, 2, &start), 0);
		EXPECT_ONE_OF(race, spapr_map(fd, start, race->buffer, 8 * PAGE, MAP_RW), 0);
		EXPECT_ONE_OF(race, spapr_remove(fd, start), 0);
	}
	return NULL;
}

static void *another_group_comes_and_goes(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_attach(race->s, 1), 0);
		EXPECT_ONE_OF(race, spapr_detach(race->s, 1), 0);
	}
	return NULL;
}

static void *other_memory_comes_and_goes(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
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

/* What arrives has to be what was sent. */
static void *device_works(void *arg)
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

static unsigned int stress_seconds(void)
{
	const char *text = getenv("STRESS_SECONDS");
	const unsigned long seconds = text ? strtoul(text, NULL, 10) : DEFAULT_SECONDS;

	return seconds && seconds < MAX_SECONDS ? (unsigned int)seconds : MAX_SECONDS;
}

TEST_F(guest, d21_stress)
{
	uint8_t *device_pages = self->buffer + self->size - 2 * PAGE;
	struct race race;

	SKIP_ON_KERNEL_TABLES();
	the_guest = &self->guest;
	for (unsigned int i = 0; i < LIST_ENTRIES; i++)
		guest_tce_list(the_guest)[i] = htobe64(tce(self, self->buffer + i * PAGE, TCE_RW));
	ASSERT_EQ(0, spapr_map(self->fd, DEVICE_IOVA, device_pages, 2 * PAGE, MAP_RW));
	race_init(&race, &self->s, self->buffer, self->size);
	RACE(&race, stress_seconds(), guest_works, guest_works, program_works, device_works,
	     another_window_comes_and_goes, another_group_comes_and_goes,
	     other_memory_comes_and_goes);
	EXPECT_LT(0, atomic_load(&done_by_kvm));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	/* Succeeds only if each mapping was counted once and dropped once. */
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_HARNESS_MAIN

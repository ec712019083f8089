// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs of a guest against each other and against the program's own calls, at the same entries. A page
 * that is counted too often cannot be released, and one that is not counted often enough can, with the
 * device still writing to it.
 *
 * A driver without proper locking takes the kernel with it.
 */
#include "kvm_fixture.h"
#include "race.h"

#include <errno.h>
#include <fcntl.h>

#define RACE_SECONDS	4
#define IOVA		MIB
#define ENTRIES		8
#define CALLS		32
#define REPETITIONS	20
/* Every table that KVM has once had stays with it. */
#define MAX_TABLES	64

__attribute__((constructor)) static void allow_for_threads(void)
{
	balance_pages_slack = 1024;
}

/* What the threads share; a program runs one test at a time. */
static struct {
	const struct guest *guest;
	int table;
	/* Memory that was registered by itself: the fixture's, and some more. */
	uint8_t *region[2];
	size_t size;
	atomic_ulong done;	/* hypercalls that KVM has done */
} shared;

#define OTHER_MEMORY	(2 * GUEST_MEMORY)

static void share(struct __test_metadata *_metadata, FIXTURE_DATA(guest) *self)
{
	shared.guest = &self->guest;
	shared.table = self->table;
	shared.size = self->size;
	shared.region[0] = self->buffer;
	shared.region[1] = memory_get(self->size);
	atomic_store(&shared.done, 0);
	ASSERT_EQ(0, guest_add_memory(&self->guest, OTHER_MEMORY, shared.region[1], self->size));
	ASSERT_EQ(0, spapr_register(self->fd, shared.region[1], self->size));
}

static uint64_t address_of(int region, unsigned int page)
{
	return (region ? OTHER_MEMORY : GUEST_MEMORY) + page * PAGE;
}

/* Has the CPU make the calls again and again. */
static void make_calls(struct race *race, int vcpu, const struct guest_call *calls)
{
	struct guest_call made[CALLS];

	while (!atomic_load(&race->stop)) {
		memcpy(made, calls, sizeof(made));
		if (guest_run(shared.guest, vcpu, made, CALLS, REPETITIONS))
			race_note(race, GUEST_STUCK, "guest_run");
		for (int i = 0; i < CALLS; i++) {
			if (made[i].result == H_SUCCESS)
				atomic_fetch_add(&shared.done, 1);
			else if (made[i].result != H_TOO_HARD)
				race_note(race, (int)made[i].result, "a hypercall");
		}
	}
}

static struct guest_call put_call(int region, unsigned int i)
{
	return (struct guest_call) {
		.number = H_PUT_TCE,
		.argument = { LIOBN, IOVA + i % ENTRIES * PAGE,
			      address_of(region, i % ENTRIES) | TCE_RW },
	};
}

static struct guest_call stuff_call(unsigned int i)
{
	return (struct guest_call) {
		.number = H_STUFF_TCE,
		.argument = { LIOBN, IOVA + i % ENTRIES * PAGE, 0, 1 + i % 2 },
	};
}

/* The first thread is the first CPU and has the first region; the second one likewise. */
static void *guest_puts(void *arg)
{
	struct racer *r = arg;
	struct guest_call calls[CALLS];

	for (unsigned int i = 0; i < CALLS; i++)
		calls[i] = put_call((int)r->number, i);
	make_calls(r->race, (int)r->number, calls);
	return NULL;
}

static void *guest_puts_and_stuffs(void *arg)
{
	struct racer *r = arg;
	struct guest_call calls[CALLS];

	for (unsigned int i = 0; i < CALLS; i++)
		calls[i] = i % 2 ? stuff_call(i / 2 * 3) : put_call((int)r->number, i / 2);
	make_calls(r->race, (int)r->number, calls);
	return NULL;
}

static void *program_maps(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;

	while (!atomic_load(&race->stop)) {
		const unsigned int i = race_random(r) % ENTRIES;

		EXPECT_ONE_OF(race, spapr_map(race->s->container, IOVA + i * PAGE,
					      shared.region[r->number % 2] + i * PAGE, PAGE,
					      MAP_RW), 0);
	}
	return NULL;
}

static void *program_unmaps(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;

	while (!atomic_load(&race->stop)) {
		const unsigned int i = race_random(r) % ENTRIES;

		EXPECT_ONE_OF(race, spapr_unmap(race->s->container, IOVA + i * PAGE, PAGE), 0);
	}
	return NULL;
}

/* Nothing is mapped but one page of each region, which still holds it. */
static void expect_right_counts(struct __test_metadata *_metadata, FIXTURE_DATA(guest) *self)
{
	uint8_t *other = shared.region[1];

	/* Not all of it was left to user space. */
	EXPECT_LT(0, atomic_load(&shared.done));
	EXPECT_EQ(0, spapr_map(self->fd, 2 * MIB, other, PAGE, MAP_RW));
	stuff(self, IOVA, ENTRIES);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, ENTRIES * PAGE));
	for (unsigned int i = 0; i < ENTRIES; i += ENTRIES - 1) {
		EXPECT_NO_WRITES(self, IOVA + i * PAGE, self->buffer + i * PAGE);
		EXPECT_NO_WRITES(self, IOVA + i * PAGE, other + i * PAGE);
	}
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, other, self->size));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unmap(self->fd, 2 * MIB, PAGE));
	EXPECT_EQ(0, spapr_unregister(self->fd, other, self->size));
	EXPECT_NOTHING_MAPPED(self);
	memory_put(other, self->size);
}

#define RACE_OF_COUNTS(self, ...) do {						\
	struct race race;							\
										\
	SKIP_ON_KERNEL_TABLES();						\
	share(_metadata, self);							\
	race_init(&race, &(self)->s, NULL, 0);					\
	RACE(&race, RACE_SECONDS, __VA_ARGS__);					\
	expect_right_counts(_metadata, self);					\
} while (0)

TEST_F(guest, d21_two_cpus_replace_pages)
{
	RACE_OF_COUNTS(self, guest_puts, guest_puts);
}

TEST_F(guest, d21_two_cpus_map_and_unmap_pages)
{
	RACE_OF_COUNTS(self, guest_puts_and_stuffs, guest_puts_and_stuffs);
}

TEST_F(guest, d21_cpu_against_map)
{
	RACE_OF_COUNTS(self, guest_puts, program_maps);
}

TEST_F(guest, d21_cpu_against_unmap)
{
	RACE_OF_COUNTS(self, guest_puts, program_unmaps);
}

TEST_F(guest, d21_two_cpus_against_map_and_unmap)
{
	RACE_OF_COUNTS(self, guest_puts, guest_puts_and_stuffs, program_maps, program_unmaps);
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

TEST_F(guest, d21_two_cpus_while_a_second_group_comes_and_goes)
{
	RACE_OF_COUNTS(self, guest_puts, guest_puts_and_stuffs, attach_and_detach_the_second);
}

/* Whenever the second region could be released, nothing of it was mapped. */
static void *register_and_release(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int fd = race->s->container, ret;

	while (!atomic_load(&race->stop)) {
		ret = spapr_unregister(fd, shared.region[1], shared.size);
		EXPECT_ONE_OF(race, ret, 0, -EBUSY);
		if (!ret)
			EXPECT_ONE_OF(race, spapr_register(fd, shared.region[1], shared.size), 0);
	}
	return NULL;
}

TEST_F(guest, d21_two_cpus_while_memory_is_released)
{
	RACE_OF_COUNTS(self, guest_puts, guest_puts_and_stuffs, register_and_release);
}

/* KVM is told of each window, and the CPUs do not wait until it is. */
static void *remove_and_create_the_window(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int fd = race->s->container;
	uint64_t start;

	for (int i = 0; i < MAX_TABLES && !atomic_load(&race->stop); i++) {
		usleep(20000);
		EXPECT_ONE_OF(race, spapr_remove(fd, 0), 0);
		EXPECT_ONE_OF(race, spapr_create(fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start), 0);
		EXPECT_ONE_OF(race, guest_set_table(shared.guest, race->s->group_fd[0],
						    shared.table), 0);
	}
	return NULL;
}

TEST_F(guest, d20_two_cpus_while_the_window_comes_and_goes)
{
	struct race race;

	SKIP_ON_KERNEL_TABLES();
	share(_metadata, self);
	race_init(&race, &self->s, NULL, 0);
	RACE(&race, RACE_SECONDS, guest_puts, guest_puts_and_stuffs, remove_and_create_the_window);
	EXPECT_LT(0, atomic_load(&shared.done));
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unregister(self->fd, shared.region[1], self->size));
	memory_put(shared.region[1], self->size);
}

static void *change_the_container(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	struct spapr *s = race->s;

	for (int i = 0; i < MAX_TABLES && !atomic_load(&race->stop); i++) {
		usleep(20000);
		EXPECT_ONE_OF(race, spapr_detach(s, 0), 0);
		close(s->container);
		s->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
		EXPECT_ONE_OF(race, spapr_attach(s, 0), 0);
		EXPECT_ONE_OF(race, spapr_set_iommu(s->container, VFIO_SPAPR_TCE_v2_IOMMU), 0);
		EXPECT_ONE_OF(race, spapr_create_at_0(s->container, WINDOW_SIZE, 1), 0);
		EXPECT_ONE_OF(race, spapr_register(s->container, shared.region[0], shared.size), 0);
		EXPECT_ONE_OF(race, spapr_register(s->container, shared.region[1], shared.size), 0);
		EXPECT_ONE_OF(race, guest_set_table(shared.guest, s->group_fd[0], shared.table), 0);
	}
	return NULL;
}

TEST_F(guest, d20_two_cpus_while_the_container_is_closed)
{
	struct race race;

	SKIP_ON_KERNEL_TABLES();
	share(_metadata, self);
	race_init(&race, &self->s, NULL, 0);
	RACE(&race, RACE_SECONDS, guest_puts, guest_puts_and_stuffs, change_the_container);
	EXPECT_LT(0, atomic_load(&shared.done));
	EXPECT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unregister(self->s.container, shared.region[1], self->size));
	memory_put(shared.region[1], self->size);
}

TEST_HARNESS_MAIN

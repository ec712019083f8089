// SPDX-License-Identifier: GPL-2.0-only
/* Containers that end in every way there is, and many of them. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "brief.h"

#define PAGE TCE_PAGE_4K

/* A small window that the buffer fits into, whatever the size of its pages. */
#define SMALL_WINDOW	(4 * MIB)

/* Enough, unless they are to be brief, for one lost object in each to stand out from the slack. */
#define CYCLES	brief(300)

/* Nothing is open yet: the tests open and close on their own. */
FIXTURE(cycle)
{
	struct balance balance;
	struct spapr s;
	uint8_t *buffer;
	size_t size;
};

FIXTURE_SETUP(cycle)
{
	/* The first cycle leaves things behind that are allocated once. */
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	spapr_close(&self->s);
	balance_settle();
	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
}

FIXTURE_TEARDOWN(cycle)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

TEST_F(cycle, past_10_open_and_close_without_a_window)
{
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		spapr_close(&self->s);
	}
}

TEST_F(cycle, past_7_release_with_live_mappings)
{
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		ASSERT_EQ(0, spapr_create_at_0(self->s.container, SMALL_WINDOW, 1));
		ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
		ASSERT_EQ(0, spapr_map(self->s.container, 0, self->buffer, self->size, MAP_RW));
		spapr_close(&self->s);
		ASSERT_EQ(0, balance_locked_kib());
	}
}

TEST_F(cycle, close_with_two_multilevel_windows)
{
	const uint64_t leaf = spapr_leaf_reach();
	uint64_t start;

	if (spapr_is_partition())
		SKIP(return, "tables of partitions have one level");
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		ASSERT_EQ(0, spapr_create_at_0(self->s.container, 2 * leaf, 2));
		ASSERT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, 2 * leaf, 3, &start));
		ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
		ASSERT_EQ(0, spapr_map(self->s.container, leaf - PAGE, self->buffer, 2 * PAGE, MAP_RW));
		ASSERT_EQ(0, spapr_map(self->s.container, start, self->buffer, PAGE, MAP_RW));
		spapr_close(&self->s);
	}
}

TEST_F(cycle, windows_come_and_go)
{
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, MIB, 1, NULL));
		ASSERT_EQ(0, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
		ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	}
}

TEST_F(cycle, registrations_come_and_go)
{
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
		ASSERT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
	}
}

TEST_F(cycle, past_4_overlapping_registration)
{
	const size_t page = page_size();

	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer + page, page));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(-EBUSY, spapr_register(self->s.container, self->buffer + page, page));
		ASSERT_EQ(-EINVAL, spapr_register(self->s.container, self->buffer, 2 * page));
		ASSERT_EQ(-ENOENT, spapr_unregister(self->s.container, self->buffer, page));
	}
}

TEST_F(cycle, refused_windows_leave_nothing)
{
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, MIB, 1));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(-EINVAL, spapr_create(self->s.container, 13, MIB, 1, NULL));
		ASSERT_EQ(-EINVAL, spapr_remove(self->s.container, GIB));
	}
}

TEST_F(cycle, mappings_come_and_go)
{
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, GIB, 2));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_map(self->s.container, i % 8 * MIB, self->buffer, self->size,
				       MAP_RW));
		ASSERT_EQ(0, spapr_unmap(self->s.container, i % 8 * MIB, self->size));
	}
	EXPECT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
}

TEST_F(cycle, second_group_comes_and_goes)
{
	struct spapr_group group[SPAPR_MAX_GROUPS];

	if (spapr_discover(group, SPAPR_MAX_GROUPS) < 2)
		SKIP(return, "there are no two groups with an edu device");
	SKIP_ON_PARTITIONS();
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, MIB, 1));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_attach(&self->s, 1));
		ASSERT_EQ(0, spapr_detach(&self->s, 1));
	}
}

/* The default window is large: a few are enough. */
TEST_F(cycle, close_with_the_default_window)
{
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
		ASSERT_EQ(0, spapr_map(self->s.container, 0, self->buffer, self->size, MAP_RW));
		spapr_close(&self->s);
		ASSERT_EQ(0, balance_locked_kib());
	}
}

/* VFIO lets a container be used again after its groups have left. */
TEST_F(cycle, set_iommu_again_and_again)
{
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, spapr_detach(&self->s, 0));
		ASSERT_EQ(0, spapr_attach(&self->s, 0));
		ASSERT_EQ(0, spapr_set_iommu(self->s.container, VFIO_SPAPR_TCE_v2_IOMMU));
	}
}

/* A thousand times, unless the machine is too slow for it. */
#define BIND_CYCLES	brief(1000)
#define BIND_LEAST	brief(100)
#define BIND_SECONDS	brief(10)
/*
 * The kernel of a partition with dynamic windows takes the default window out of the device tree
 * and puts it back, and frees no property that was ever taken out: in each cycle two of them.
 */
#define BIND_KEPT_BYTES	(3 * KIB)

TEST_F(cycle, past_9_unbind_and_bind_many_times)
{
	const time_t end = time(NULL) + BIND_SECONDS;
	struct spapr_group group;
	bool kept = false;
	int cycles = 0;

	ASSERT_EQ(1, spapr_discover(&group, 1));
	while (cycles < BIND_LEAST || (cycles < BIND_CYCLES && time(NULL) < end)) {
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		kept = spapr_is_partition() && spapr_has_dynamic_windows(self->s.container);
		ASSERT_EQ(0, spapr_create_at_0(self->s.container, MIB, 1));
		spapr_close(&self->s);
		ASSERT_EQ(0, spapr_unbind(&group));
		ASSERT_EQ(0, spapr_bind(&group));
		cycles++;
	}
	TH_LOG("%d times", cycles);
	if (kept)
		balance_pages_slack += cycles * (long)BIND_KEPT_BYTES / (long)page_size();
}

/* ---- Processes ---- */

/* Opens a container, maps memory into it, says so and waits for its end. */
static void __attribute__((noreturn)) hold_mappings(int ready)
{
	uint8_t *buffer = memory_get(16 * page_size());
	struct spapr s;

	if (spapr_open(&s, 1) || spapr_create_at_0(s.container, MIB, 1) ||
	    spapr_register(s.container, buffer, 16 * page_size()) ||
	    spapr_map(s.container, 0, buffer, 16 * page_size(), MAP_RW) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	pause();
	_exit(1);
}

TEST_F(cycle, sigkill_with_live_mappings)
{
	int pipe_fd[2], status;
	pid_t child;
	char byte;

	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, pipe(pipe_fd));
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			hold_mappings(pipe_fd[1]);
		close(pipe_fd[1]);
		ASSERT_EQ(1, read(pipe_fd[0], &byte, 1));
		close(pipe_fd[0]);
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		/* The group is free for the next one at once. */
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		spapr_close(&self->s);
	}
}

static int run_in_child(int (*body)(struct spapr *s, uint8_t *buffer, size_t size),
			struct spapr *s, uint8_t *buffer, size_t size)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -1;
	if (!child)
		_exit(body(s, buffer, size));
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Returns the number of the first call that the container did not refuse. */
static int call_everything(struct spapr *s, uint8_t *buffer, size_t size)
{
	uint8_t *own = memory_get(size);
	int fd = s->container;

	if (spapr_map(fd, MIB, buffer, PAGE, MAP_RW) != -EPERM)
		return 1;
	if (spapr_unmap(fd, 0, PAGE) != -EPERM)
		return 2;
	if (spapr_register(fd, own, size) != -EPERM)
		return 3;
	if (spapr_unregister(fd, buffer, size) != -EPERM)
		return 4;
	if (spapr_create(fd, TCE_SHIFT_4K, MIB, 1, NULL) != -EPERM)
		return 5;
	if (spapr_remove(fd, 0) != -EPERM)
		return 6;
	return 0;
}

/* DPDK's secondary processes have the container's file, but not its memory. */
TEST_F(window, dpdk_4_foreign_process_gets_eperm)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(0, run_in_child(call_everything, &self->s, self->buffer, self->size));
	/* And nothing has happened. */
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

static int check_extension(struct spapr *s, uint8_t *buffer, size_t size)
{
	(void)buffer;
	(void)size;
	return spapr_check_extension(s->container, VFIO_SPAPR_TCE_v2_IOMMU) != 1;
}

TEST_F(window, foreign_process_may_ask_for_extensions)
{
	EXPECT_EQ(0, run_in_child(check_extension, &self->s, self->buffer, self->size));
}

static int close_all(struct spapr *s, uint8_t *buffer, size_t size)
{
	(void)buffer;
	(void)size;
	spapr_close(s);
	return 0;
}

TEST_F(window, foreign_process_closes_its_copy)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(0, run_in_child(close_all, &self->s, self->buffer, self->size));
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

/* Registers and maps, leaves the container to a child of its own and exits. */
static int map_and_leave_to_child(struct spapr *s, uint8_t *buffer, size_t size)
{
	const pid_t owner = getpid();

	if (spapr_register(s->container, buffer, size) ||
	    spapr_create_at_0(s->container, SMALL_WINDOW, 1) ||
	    spapr_map(s->container, 0, buffer, size, MAP_RW))
		return 1;
	if (!fork()) {
		while (getppid() == owner)
			usleep(1000);
		_exit(0);
	}
	return 0;
}

/* The process that the container belongs to is gone when the container is closed. */
TEST_F(cycle, container_outlives_its_process)
{
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, spapr_open(&self->s, 1));
		EXPECT_EQ(0, run_in_child(map_and_leave_to_child, &self->s, self->buffer,
					  self->size));
		EXPECT_EQ(-EPERM, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
		spapr_close(&self->s);
		/* The grandchild may be closing its copy just now. */
		for (int ms = 0; ms < 2000 * (int)slowness() && spapr_open(&self->s, 1) == -EBUSY; ms++)
			usleep(1000);
		ASSERT_LE(0, self->s.container);
		spapr_close(&self->s);
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A machine with little memory that is free: another process has the rest. What a call needs it gets, or
 * it is ENOMEM, or the kernel ends the process that has taken too much. Then all of it is free again.
 */
#include "brief.h"
#include "fixture.h"
#include "ways.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is left free, about. */
#define LEFT		(128 * MIB)
#define PART		(16 * MIB)
#define NO_VICTIM	"-1000"
#define FIRST_VICTIM	"1000"

/*
 * What the kernel says when it kills because there is no memory, with a trace that leads through the
 * driver; and what it says of a table of its own that it has no memory for.
 */
#define OF_A_KILL	"Call Trace", ";[c0", "Out of memory"
#define OF_A_TABLE	"page allocation failure", "Failed to allocate a TCE memory"
static const char *const expected[] = { OF_A_KILL, NULL };
static const char *const expected_with_kernel_tables[] = { OF_A_KILL, OF_A_TABLE, NULL };

static bool has_own_tables(void)
{
	return type1_is_there() && !spapr_has_kernel_tables();
}

__attribute__((constructor)) static void expect_kills(void)
{
	balance_expected = has_own_tables() ? expected : expected_with_kernel_tables;
	balance_pages_slack = (long)(16 * MIB / page_size());
}

/* What is not even the cache of a file. */
static size_t free_memory(void)
{
	return (size_t)sysconf(_SC_AVPHYS_PAGES) * page_size();
}

/* A process that has all but a little of the memory, until it is ended. */
static pid_t start_eater(void)
{
	int ready[2];
	char byte;
	pid_t child;

	if (pipe(ready))
		return -1;
	child = fork();
	if (!child) {
		balance_write("/proc/self/oom_score_adj", NO_VICTIM);
		balance_write("/proc/sys/vm/drop_caches", "3");
		mlockall(MCL_FUTURE);
		while (free_memory() > LEFT + PART)
			memory_get(PART);
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		child = -1;
	close(ready[0]);
	return child;
}

FIXTURE(little)
{
	struct balance balance;
	struct spapr s;
	long pinned;
	pid_t eater;
};

FIXTURE_VARIANT(little)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(little, v2) { .way = WAY_V2 };
FIXTURE_VARIANT_ADD(little, v1) { .way = WAY_V1 };
FIXTURE_VARIANT_ADD(little, type1) { .way = WAY_TYPE1 };

FIXTURE_SETUP(little)
{
	if (is_brief())
		SKIP(return, "the kernel ends processes here, which is for check-all");
	SKIP_WITHOUT_WAY(variant->way);
	balance_take(&self->balance);
	spapr_init(&self->s);
	self->pinned = balance_pinned_pages();
	self->eater = start_eater();
	ASSERT_LT(0, self->eater);
}

FIXTURE_TEARDOWN(little)
{
	if (self->eater <= 0)
		return;
	kill(self->eater, SIGKILL);
	waitpid(self->eater, NULL, 0);
	CHECK_BALANCE(&self->s, &self->balance);
	way_end(variant->way);
}

/* Runs in a process that the kernel prefers to end. */
typedef int (*body_fn)(enum way way);

static int run_victim(body_fn body, enum way way)
{
	pid_t child = fork();
	int status;

	if (!child) {
		balance_write("/proc/self/oom_score_adj", FIRST_VICTIM);
		_exit(body(way));
	}
	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

/* A process that was ended gives its memory back by and by. */
static bool memory_is_back(void)
{
	for (int i = 0; i < 100 * (int)slowness(); i++) {
		if (free_memory() > LEFT / 2)
			return true;
		usleep(50 * 1000);
	}
	return false;
}

/* All is as before, and memory can be mapped. */
#define EXPECT_ALL_IS_BACK() do {							\
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));			\
	EXPECT_TRUE(memory_is_back());							\
	EXPECT_EQ(0, run_victim(take_a_little, variant->way));				\
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));			\
} while (0)

static int take_a_little(enum way way)
{
	uint8_t *p = memory_get(PART);
	struct spapr s;

	return way_open(way, &s) || way_take(way, &s, p, PART);
}

/* As much as is mapped by one call of what is not there. */
static int take_too_much(enum way way)
{
	const size_t size = 4 * LEFT;
	uint8_t *p = memory_get(size);
	struct spapr s;
	int ret = way_open(way, &s);

	if (!ret)
		ret = way_take(way, &s, p, size);
	return ret == -ENOMEM ? 2 : 1;
}

TEST_F(little, more_pages_than_there_are)
{
	EXPECT_EQ(SIGKILL, run_victim(take_too_much, variant->way));
	EXPECT_ALL_IS_BACK();
}

/* Part by part, until there is no more. */
static int take_part_by_part(enum way way)
{
	struct spapr s;
	int ret = way_open(way, &s);
	uint64_t at = way == WAY_TYPE1 && !ret ? type1_first_iova(s.container) : 0;

	if (!ret)
		ret = way == WAY_V2 ? spapr_create_at_0(s.container, GIB, 1) :
		      way == WAY_V1 ? spapr_enable(s.container) : 0;
	for (int i = 0; !ret && i < 64; i++) {
		uint8_t *p = memory_get(PART);

		if (way == WAY_V2)
			ret = spapr_register(s.container, p, PART);
		if (!ret)
			ret = spapr_map(s.container, at, p, PART, MAP_RW);
		at += PART;
	}
	return ret == -ENOMEM ? 2 : 1;
}

TEST_F(little, part_by_part)
{
	EXPECT_EQ(SIGKILL, run_victim(take_part_by_part, variant->way));
	EXPECT_ALL_IS_BACK();
}

/* A table of one level is one block, and it is not worth to end a process for it. */
TEST_F(little, window_that_there_is_no_memory_for)
{
	const size_t table = 16 * MIB, step = 4 * MIB;
	const uint64_t window = table / sizeof(uint64_t) * TCE_PAGE_4K;
	uint8_t *p = memory_get(LEFT);
	uint64_t start;
	int ret = 0;

	if (variant->way != WAY_V2)
		SKIP(return, "its windows are not the user's");
	if (spapr_is_partition())
		SKIP(return, "its windows take memory when something is mapped");
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (size_t at = 0; !ret && at < LEFT; at += step) {
		ret = spapr_create(self->s.container, TCE_SHIFT_4K, window, 1, &start);
		if (!ret)
			ASSERT_EQ(0, spapr_remove(self->s.container, start));
		memset(p + at, 1, step);
	}
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_EQ(0, balance_locked_kib());
	EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, MIB, 1, &start));
	memory_put(p, LEFT);
}

/* One page at many places far from each other: each takes blocks of its own. */
static int map_here_and_there(enum way way)
{
	const uint64_t reach = spapr_leaf_reach();
	uint8_t *p = memory_get(page_size());
	struct spapr s;
	int ret = way_open(way, &s);

	if (!ret && way == WAY_V2)
		ret = spapr_create_at_0(s.container, TIB, 3);
	if (!ret && way == WAY_V2)
		ret = spapr_register(s.container, p, page_size());
	for (uint64_t i = 0; !ret && i < TIB / reach; i++)
		ret = spapr_map(s.container, 4 * GIB + i * reach, p, page_size(), MAP_RO);
	return ret == -ENOMEM ? 2 : 1;
}

TEST_F(little, scattered_mappings)
{
	int status;

	if (variant->way == WAY_V1)
		SKIP(return, "its window is small");
	if (spapr_is_partition())
		SKIP(return, "its windows have one level");
	status = run_victim(map_here_and_there, variant->way);
	/* The kernel's own tables do not wait for memory. */
	EXPECT_TRUE(status == SIGKILL || (!has_own_tables() && WEXITSTATUS(status) == 2))
		TH_LOG("status %x", status);
	EXPECT_ALL_IS_BACK();
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process whose memory cgroup has a limit. What a call brings into memory is charged to the cgroup, and
 * so are our own tables. Where the limit is reached a large table cannot be had, and for a page, of the
 * user or of a table, the kernel kills the process. Nothing stays charged when its container is closed.
 */
#include "fixture.h"
#include "ways.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LIMIT		(32 * MIB)
#define HIGH_LIMIT	(256 * MIB)
/* What is too much, and what is neither freed at once nor worth a limit: dentries and the like. */
#define TOO_MUCH	(64 * MIB)
#define SLACK_PAGES	64
#define SETTLE_TRIES	100
#define SETTLE_US	50000

#define MOUNT		"/tmp/cgroup"
#define GROUP		MOUNT "/limited"

/* What the kernel says when it kills because of a limit, with a trace that leads through the driver. */
static const char *const expected[] = { "Call Trace", ";[c0", NULL };

__attribute__((constructor)) static void expect_kills(void)
{
	balance_expected = expected;
	balance_pages_slack = 1024;
}

static bool make_group(void)
{
	mkdir(MOUNT, 0700);
	if (mount("none", MOUNT, "cgroup2", 0, NULL))
		return false;
	balance_write(MOUNT "/cgroup.subtree_control", "+memory");
	return !mkdir(GROUP, 0700) && !access(GROUP "/memory.max", W_OK);
}

static void write_number(const char *path, unsigned long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", number);
	balance_write(path, text);
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long number = -1;

	if (!f || fscanf(f, "%ld", &number) != 1)
		number = -1;
	if (f)
		fclose(f);
	return number;
}

/* How often the kernel has killed in the group. */
static long kills(void)
{
	FILE *f = fopen(GROUP "/memory.events", "re");
	char line[64];
	long number = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "oom_kill %ld", &number);
	if (f)
		fclose(f);
	return number;
}

/* In pages, when all is freed that can be. */
static long charged_pages(void)
{
	const long page = (long)page_size();
	long now = 0;

	for (int i = 0; i < SETTLE_TRIES * (int)slowness(); i++) {
		/* Has the kernel give back what its CPUs have charged in advance. */
		balance_write(GROUP "/memory.high", "0");
		balance_write(GROUP "/memory.high", "max");
		now = read_number(GROUP "/memory.current") / page;
		if (now <= SLACK_PAGES)
			break;
		usleep(SETTLE_US);
	}
	return now;
}

/* The body runs in the group, in a process of its own; what it returns is the number of what failed. */
typedef int (*body_fn)(enum way way, struct spapr *s);

static int run_limited(size_t limit, body_fn body, enum way way, struct spapr *s)
{
	pid_t child;
	int status;

	write_number(GROUP "/memory.max", limit);
	child = fork();
	if (!child) {
		write_number(GROUP "/cgroup.procs", 0);
		_exit(body(way, s));
	}
	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

FIXTURE(cgroup)
{
	struct balance balance;
	struct spapr s;
	long pinned;
	bool is_made;
};

FIXTURE_VARIANT(cgroup)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(cgroup, v2) { .way = WAY_V2 };
FIXTURE_VARIANT_ADD(cgroup, v1) { .way = WAY_V1 };
FIXTURE_VARIANT_ADD(cgroup, type1) { .way = WAY_TYPE1 };

FIXTURE_SETUP(cgroup)
{
	SKIP_WITHOUT_WAY(variant->way);
	self->is_made = make_group();
	if (!self->is_made) {
		umount(MOUNT);
		SKIP(return, "the kernel has no memory cgroups");
	}
	balance_take(&self->balance);
	self->pinned = balance_pinned_pages();
	ASSERT_EQ(0, way_open(variant->way, &self->s));
}

FIXTURE_TEARDOWN(cgroup)
{
	if (!self->is_made)
		return;
	spapr_close(&self->s);
	EXPECT_GE(SLACK_PAGES, charged_pages());
	EXPECT_EQ(0, rmdir(GROUP));
	EXPECT_EQ(0, umount(MOUNT));
	CHECK_BALANCE(&self->s, &self->balance);
	way_end(variant->way);
}

/* ---- The user's pages ---- */

static int take_too_much(enum way way, struct spapr *s)
{
	return way_take(way, s, memory_get(TOO_MUCH), TOO_MUCH) ? 1 : 0;
}

/* The call brings the pages, which nobody has touched before. */
TEST_F(cgroup, pages_beyond_the_limit)
{
	EXPECT_EQ(SIGKILL, run_limited(LIMIT, take_too_much, variant->way, &self->s));
	EXPECT_EQ(1, kills());
	spapr_close(&self->s);
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	EXPECT_GE(SLACK_PAGES, charged_pages());
	/* The same with a higher limit. */
	ASSERT_EQ(0, way_open(variant->way, &self->s));
	EXPECT_EQ(0, run_limited(HIGH_LIMIT, take_too_much, variant->way, &self->s));
	EXPECT_EQ(1, kills());
	/* The pages are those of a process that is no more, until the container is closed. */
	EXPECT_EQ(self->pinned + (long)(TOO_MUCH / (variant->way == WAY_V1 ? TCE_PAGE_4K : page_size())),
		  balance_pinned_pages());
	EXPECT_LE((long)TOO_MUCH, read_number(GROUP "/memory.current"));
	spapr_close(&self->s);
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
}

static int take_a_part(enum way way, struct spapr *s)
{
	return way_take(way, s, memory_get(LIMIT / 2), LIMIT / 2) ? 1 : 0;
}

TEST_F(cgroup, pages_within_the_limit)
{
	EXPECT_EQ(0, run_limited(LIMIT, take_a_part, variant->way, &self->s));
	EXPECT_EQ(0, kills());
}

/* ---- Tables ---- */

#define SKIP_WITHOUT_OWN_TABLES() do {							\
	if (!type1_is_there() || spapr_has_kernel_tables())				\
		SKIP(return, "the kernel's own tables are charged to nobody");		\
} while (0)

/* A table of one level, which is one block, and more than the limit. */
#define TABLE		(8 * MIB)
#define TABLE_LIMIT	(6 * MIB)

static int create_beyond_the_limit(enum way way, struct spapr *s)
{
	const uint64_t window = TABLE / sizeof(uint64_t) * TCE_PAGE_4K;
	const int fd = s->container;
	const long locked = balance_locked_kib();
	uint64_t start;

	(void)way;
	if (spapr_remove(fd, 0))
		return 1;
	if (spapr_create(fd, TCE_SHIFT_4K, window, 1, &start) != -ENOMEM)
		return 2;
	if (balance_locked_kib() != locked)
		return 3;
	write_number(GROUP "/memory.max", HIGH_LIMIT);
	if (spapr_create(fd, TCE_SHIFT_4K, window, 1, &start))
		return 4;
	if (read_number(GROUP "/memory.current") < (long)TABLE)
		return 5;
	return spapr_remove(fd, start) ? 6 : 0;
}

TEST_F(cgroup, window_beyond_the_limit)
{
	if (variant->way != WAY_V2)
		SKIP(return, "its windows are not the user's");
	if (spapr_is_partition())
		SKIP(return, "its windows take memory when something is mapped");
	SKIP_WITHOUT_OWN_TABLES();
	EXPECT_EQ(0, run_limited(TABLE_LIMIT, create_beyond_the_limit, variant->way, &self->s));
	EXPECT_EQ(0, kills());
	EXPECT_GE(SLACK_PAGES, charged_pages());
}

/* One page at many places far from each other: each takes blocks of its own. */
static int map_here_and_there(enum way way, struct spapr *s)
{
	const uint64_t reach = spapr_leaf_reach();
	uint8_t *p = memory_get(page_size());
	int fd = s->container;

	if (way == WAY_V2 && (spapr_create_at_0(fd, TIB, 3) || spapr_register(fd, p, page_size())))
		return 1;
	for (uint64_t i = 0; i < TIB / reach; i++) {
		if (spapr_map(fd, 4 * GIB + i * reach, p, page_size(), MAP_RW))
			return 2;
	}
	return 3;
}

/* As the page tables of the process do. */
TEST_F(cgroup, scattered_mappings_beyond_the_limit)
{
	if (variant->way == WAY_V1)
		SKIP(return, "its window is small");
	if (spapr_is_partition())
		SKIP(return, "its windows have one level");
	SKIP_WITHOUT_OWN_TABLES();
	EXPECT_EQ(SIGKILL, run_limited(LIMIT, map_here_and_there, variant->way, &self->s));
	EXPECT_EQ(1, kills());
	EXPECT_LT(self->pinned, balance_pinned_pages());
	spapr_close(&self->s);
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	EXPECT_GE(SLACK_PAGES, charged_pages());
}

TEST_HARNESS_MAIN

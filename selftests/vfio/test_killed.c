// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that is killed while it maps 1 GiB in one call. What the call has done until then is given
 * back with the container.
 */
#include "brief.h"
#include "fixture.h"
#include "ways.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define SIZE	GIB
/* The same pages again and again, since not all machines have as many. */
#define PART	(32 * MIB)
#define KILLS	8

FIXTURE(killed)
{
	struct balance balance;
	struct spapr s;
	int ready[2];
};

FIXTURE_VARIANT(killed)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(killed, v2) { .way = WAY_V2 };
FIXTURE_VARIANT_ADD(killed, v1) { .way = WAY_V1 };
FIXTURE_VARIANT_ADD(killed, type1) { .way = WAY_TYPE1 };

FIXTURE_SETUP(killed)
{
	SKIP_WITHOUT_WAY(variant->way);
	balance_take(&self->balance);
	spapr_init(&self->s);
	ASSERT_EQ(0, pipe(self->ready));
}

FIXTURE_TEARDOWN(killed)
{
	if (variant->way == WAY_TYPE1 && !type1_is_there())
		return;
	close(self->ready[0]);
	close(self->ready[1]);
	CHECK_BALANCE(&self->s, &self->balance);
	way_end(variant->way);
}

static uint8_t *get_repeated(void)
{
	int file = memory_file(PART);
	uint8_t *p = memory_map_file(-1, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);

	for (size_t at = 0; at < SIZE; at += PART) {
		if (mmap(p + at, PART, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
			 file, 0) == MAP_FAILED)
			_exit(1);
	}
	return p;
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Maps, and ends with 0 when it is done; says when it begins, and how long it took in us. */
static void __attribute__((noreturn)) map_once(enum way way, int ready)
{
	uint8_t *p = get_repeated();
	struct spapr s;
	long us = 0;

	if (way_open(way, &s) || way_prepare(way, &s, p, SIZE) ||
	    write(ready, &us, sizeof(us)) != sizeof(us))
		_exit(2);
	us = now_us();
	if (way_map(way, &s, p, SIZE))
		_exit(3);
	us = now_us() - us;
	_exit(write(ready, &us, sizeof(us)) == sizeof(us) ? 0 : 4);
}

static pid_t start(enum way way, int ready)
{
	pid_t child = fork();

	if (!child)
		map_once(way, ready);
	return child;
}

TEST_F(killed, in_the_middle_of_a_map_of_1_gib)
{
	const long pinned = balance_pinned_pages();
	const int count = brief(KILLS);
	int status, kills = 0;
	long begun, us = 0;
	pid_t child = start(variant->way, self->ready[1]);

	ASSERT_LT(0, child);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ((ssize_t)sizeof(begun), read(self->ready[0], &begun, sizeof(begun)));
	ASSERT_EQ((ssize_t)sizeof(us), read(self->ready[0], &us, sizeof(us)));
	for (int i = 0; i < count; i++) {
		child = start(variant->way, self->ready[1]);
		ASSERT_LT(0, child);
		ASSERT_EQ((ssize_t)sizeof(begun), read(self->ready[0], &begun, sizeof(begun)));
		usleep((useconds_t)(us * i / count));
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		if (status) {
			ASSERT_EQ(SIGKILL, status);
		} else {
			ASSERT_EQ((ssize_t)sizeof(us), read(self->ready[0], &us, sizeof(us)));
		}
		kills += status != 0;
		EXPECT_EQ(pinned, balance_pinned_settled(pinned));
	}
	TH_LOG("%d of %d kills came before the end of a call of %ld us", kills, count, us);
	EXPECT_LT(0, kills);
	/* The group is as good as new. */
	ASSERT_EQ(0, way_open(variant->way, &self->s));
}

TEST_HARNESS_MAIN

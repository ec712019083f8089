// SPDX-License-Identifier: GPL-2.0-only
/* RLIMIT_MEMLOCK, which binds everybody who has no CAP_IPC_LOCK. */
#include "fixture.h"

#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NOBODY	65534

/* What the container of this user may lock, in pages. */
#define LIMIT_PAGES	16

/*
 * The body runs as an ordinary user in a process of its own, so that the test itself can still
 * read the kernel's counters afterwards. It returns the number of the check that failed.
 */
static int as_ordinary_user(struct spapr *s, int (*body)(struct spapr *s, uint8_t *buffer))
{
	const size_t limit = LIMIT_PAGES * page_size();
	pid_t child = fork();
	int status;

	if (child < 0)
		return -1;
	if (!child) {
		const struct rlimit rlimit = { .rlim_cur = limit, .rlim_max = limit };

		if (setrlimit(RLIMIT_MEMLOCK, &rlimit) || setgroups(0, NULL) ||
		    setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(body(s, memory_get(4 * limit)));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static long limit_kib(void)
{
	return (long)(LIMIT_PAGES * page_size() / KIB);
}

static int register_up_to_the_limit(struct spapr *s, uint8_t *buffer)
{
	const size_t page = page_size();
	int fd = s->container;

	if (spapr_register(fd, buffer, (LIMIT_PAGES + 1) * page) != -ENOMEM)
		return 1;
	if (balance_locked_kib())
		return 2;
	if (spapr_register(fd, buffer, LIMIT_PAGES * page))
		return 3;
	if (balance_locked_kib() != limit_kib())
		return 4;
	if (spapr_register(fd, buffer + LIMIT_PAGES * page, page) != -ENOMEM)
		return 5;
	if (balance_locked_kib() != limit_kib())
		return 6;
	/* What is given back can be locked again. */
	if (spapr_unregister(fd, buffer, LIMIT_PAGES * page) || balance_locked_kib())
		return 7;
	if (spapr_register(fd, buffer, page) || spapr_register(fd, buffer + page, page))
		return 8;
	return 0;
}

TEST_F(container, register_up_to_the_limit)
{
	EXPECT_EQ(0, as_ordinary_user(&self->s, register_up_to_the_limit));
}

/* Refused for another reason: nothing of the allowance is used up. */
static int refused_registrations(struct spapr *s, uint8_t *buffer)
{
	const size_t page = page_size();
	int fd = s->container;

	if (spapr_register(fd, buffer, 2 * page))
		return 1;
	for (int i = 0; i < 4 * LIMIT_PAGES; i++) {
		if (spapr_register(fd, buffer, 2 * page) != -EBUSY)
			return 2;
		if (spapr_register(fd, buffer + page, 2 * page) != -EINVAL)
			return 3;
	}
	if (spapr_register(fd, buffer + 2 * page, (LIMIT_PAGES - 2) * page))
		return 4;
	return 0;
}

TEST_F(container, refused_registrations_use_up_nothing)
{
	EXPECT_EQ(0, as_ordinary_user(&self->s, refused_registrations));
}

static int create_beyond_the_limit(struct spapr *s, uint8_t *buffer)
{
	int fd = s->container;

	(void)buffer;
	if (spapr_remove(fd, 0))
		return 1;
	for (int i = 0; i < 3; i++) {
		if (spapr_create(fd, TCE_SHIFT_4K, GIB, 1, NULL) != -ENOMEM)
			return 2;
		if (balance_locked_kib())
			return 3;
	}
	/* A small one is within the limit. */
	if (spapr_create(fd, TCE_SHIFT_4K, MIB, 1, NULL))
		return 4;
	if (!balance_locked_kib() || balance_locked_kib() > limit_kib())
		return 5;
	if (spapr_remove(fd, 0) || balance_locked_kib())
		return 6;
	return 0;
}

TEST_F(container, create_beyond_the_limit)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	EXPECT_EQ(0, as_ordinary_user(&self->s, create_beyond_the_limit));
}

static int default_window_beyond_the_limit(struct spapr *s, uint8_t *buffer)
{
	const size_t page = page_size();
	int fd = s->container;

	if (spapr_register(fd, buffer, page))
		return 1;
	if (spapr_map(fd, 0, buffer, page, MAP_RW) != -ENOMEM)
		return 2;
	if (spapr_create(fd, TCE_SHIFT_4K, MIB, 1, NULL) != -ENOMEM)
		return 3;
	if (balance_locked_kib() != (long)(page / KIB))
		return 4;
	/* Without the default window there is room for a small one. */
	if (spapr_remove(fd, 0) || spapr_create(fd, TCE_SHIFT_4K, MIB, 1, NULL))
		return 5;
	if (spapr_map(fd, 0, buffer, page, MAP_RW))
		return 6;
	return 0;
}

TEST_F(container, default_window_beyond_the_limit)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	EXPECT_EQ(0, as_ordinary_user(&self->s, default_window_beyond_the_limit));
}

/* Whatever part of a window's memory is accounted for later: an allowed map never exceeds. */
static int map_within_the_limit(struct spapr *s, uint8_t *buffer)
{
	const size_t page = page_size();
	int fd = s->container, ret;

	if (spapr_remove(fd, 0) || spapr_create(fd, TCE_SHIFT_4K, MIB, 1, NULL))
		return 1;
	if (spapr_register(fd, buffer, 4 * page))
		return 2;
	for (uint64_t iova = 0; iova < MIB; iova += TCE_PAGE_4K) {
		ret = spapr_map(fd, iova, buffer, TCE_PAGE_4K, MAP_RW);
		if (ret && ret != -ENOMEM)
			return 3;
		if (balance_locked_kib() > limit_kib())
			return 4;
	}
	if (spapr_unmap(fd, 0, MIB) || spapr_unregister(fd, buffer, 4 * page))
		return 5;
	if (spapr_remove(fd, 0) || balance_locked_kib())
		return 6;
	return 0;
}

TEST_F(container, map_within_the_limit)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	EXPECT_EQ(0, as_ordinary_user(&self->s, map_within_the_limit));
}

/* The tables of a privileged process are counted, too, but nothing stops it. */
TEST_F(container, root_is_counted_but_not_limited)
{
	const struct rlimit none = { 0 };

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &none));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, MIB, 1, NULL));
	EXPECT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	EXPECT_LT((long)(self->size / KIB), balance_locked_kib());
}

/* The whole window is charged, whatever will be mapped. */
static int enable_v1(struct spapr *s, uint8_t *buffer)
{
	if (spapr_enable(s->container) != -ENOMEM)
		return 1;
	if (balance_locked_kib())
		return 2;
	if (spapr_map(s->container, 0, buffer, TCE_PAGE_4K, MAP_RW) != -EPERM)
		return 3;
	return 0;
}

TEST_F(container, v1_enable_beyond_the_limit)
{
	spapr_close(&self->s);
	ASSERT_EQ(0, spapr_open_v1(&self->s, 0));
	EXPECT_EQ(0, as_ordinary_user(&self->s, enable_v1));
}

TEST_HARNESS_MAIN

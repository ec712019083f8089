// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a window: its table of TCEs, and the userspace view, which says for each of them
 * which memory of the process it is for. The view comes with the first map, a page at a time; what
 * both can come to is charged when the window is made.
 *
 * Memory is measured as pages of the machine that are in use, so nothing else may run at the time.
 */
#include "fixture.h"

#include <stdio.h>

/* A table of one level of 8 MiB: more than what comes and goes otherwise. */
#define TABLE_SIZE	(8 * MIB)
#define LARGE_WINDOW	(TABLE_SIZE / sizeof(uint64_t) * TCE_PAGE_4K)
/*
 * What a few calls may take and the kernel does for itself, in KiB: an MiB or two at times where pages
 * have 64K. Less than half of a table, and so of a view.
 */
#define SLACK_KIB	3072L

#define PARAMETER_FILE	"/sys/module/vfio_iommu_spapr_tce/parameters/powernv"

/* Whether a file has a line that contains the text. */
static bool file_has(const char *path, const char *text)
{
	bool found = false;
	char line[512];
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, text);
	fclose(f);
	return found;
}

/* Tables of the kernel's own platform code have their view as they please. */
static bool are_tables_the_kernels(void)
{
	return file_has(PARAMETER_FILE, "kernel") || !file_has("/proc/cpuinfo", "PowerNV");
}

/* A group whose container has given up the default window; what follows is measured from here. */
FIXTURE(view)
{
	struct balance balance;
	struct spapr s;
	int fd;
	uint8_t *buffer;
	size_t size;
	long unused;	/* KiB before the window was made */
};

FIXTURE_SETUP(view)
{
	spapr_init(&self->s);
	balance_take(&self->balance);
	if (spapr_is_partition())
		SKIP(return, "the kernel makes a partition's windows, with tables of its own beside");
	if (are_tables_the_kernels())
		SKIP(return, "the tables are those of the kernel's platform code");
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
	balance_settle();
	self->unused = balance_unused_kib();
}

FIXTURE_TEARDOWN(view)
{
	if (self->buffer)
		memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

/* KiB that have been taken since the fixture was set up. */
static long taken_kib(FIXTURE_DATA(view) *self)
{
	return self->unused - balance_unused_kib();
}

#define EXPECT_TAKEN(self, expected) do {				\
	const long taken = taken_kib(self);				\
									\
	EXPECT_LE((expected) - SLACK_KIB, taken);			\
	EXPECT_GE((expected) + SLACK_KIB, taken);			\
} while (0)

#define TABLE_KIB	((long)(TABLE_SIZE / KIB))

/* With the view it would be twice as much. */
TEST_F(view, a_new_window_has_no_view)
{
	long locked = balance_locked_kib();

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, LARGE_WINDOW, 1, NULL));
	EXPECT_TAKEN(self, TABLE_KIB);
	/* The charge is for the worst case. */
	EXPECT_LE(2 * TABLE_KIB, balance_locked_kib() - locked);
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_TAKEN(self, 0);
}

TEST_F(view, the_first_map_makes_a_part_of_it)
{
	long locked;

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, LARGE_WINDOW, 1, NULL));
	locked = balance_locked_kib();
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, TCE_PAGE_4K, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, LARGE_WINDOW - TCE_PAGE_4K, self->buffer, TCE_PAGE_4K,
			       MAP_RW));
	EXPECT_TAKEN(self, TABLE_KIB);
	EXPECT_EQ(locked, balance_locked_kib());
}

/* Proof that what is measured is the view: it is there when every page of it was needed. */
TEST_F(view, mapping_everywhere_makes_all_of_it)
{
	const uint64_t stride = spapr_leaf_reach();
	long locked;

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, LARGE_WINDOW, 1, NULL));
	locked = balance_locked_kib();
	for (uint64_t iova = 0; iova < LARGE_WINDOW; iova += stride)
		ASSERT_EQ(0, spapr_map(self->fd, iova, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_TAKEN(self, 2 * TABLE_KIB);
	/* All of it was charged for beforehand. */
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_TAKEN(self, 0);
}

TEST_F(view, unmapping_the_untouched_makes_nothing)
{
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, LARGE_WINDOW, 1, NULL));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, LARGE_WINDOW));
	EXPECT_TAKEN(self, TABLE_KIB);
}

/* With several levels the lower ones of the table come with the first map, too. */
TEST_F(view, a_new_window_of_levels_is_its_first_level)
{
	long locked = balance_locked_kib();

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, LARGE_WINDOW, 2, NULL));
	EXPECT_TAKEN(self, 0);
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, LARGE_WINDOW));
	EXPECT_TAKEN(self, 0);
	ASSERT_EQ(0, spapr_map(self->fd, LARGE_WINDOW / 2, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_TAKEN(self, 0);
	EXPECT_LE(2 * TABLE_KIB, balance_locked_kib() - locked);
}

TEST_HARNESS_MAIN

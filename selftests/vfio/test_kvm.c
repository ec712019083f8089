// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM looks for the tables of a container itself, in the groups that it is told of: what QEMU does
 * in KVM's VFIO device for each window. No guest runs here: test_kvm_guest has one, and selftests/kvm
 * has some.
 */
#include "fixture.h"
#include "kvm_guest.h"
#include "race.h"

#include <errno.h>
#include <unistd.h>

#define LIOBN		0x80000000UL
#define SECOND_WINDOW	(1UL << 59)
#define RACE_SECONDS	4

/* The virtual machine, and its table that one thread attaches and the other closes. */
static struct guest vm;
static _Atomic int attached;

/* What KVM says of a table of this kind for the group's windows. */
static int try_table(int group_fd, uint32_t page_shift, uint64_t start, uint64_t size)
{
	int table = guest_create_table(&vm, LIOBN, page_shift, start, size), ret;

	if (table < 0)
		return table;
	ret = guest_set_table(&vm, group_fd, table);
	close(table);
	return ret;
}

FIXTURE(kvm)
{
	struct balance balance;
	struct spapr s;
	int fd;
	int group;
};

FIXTURE_SETUP(kvm)
{
	spapr_init(&self->s);
	guest_init(&vm);
	attached = -1;
	balance_take(&self->balance);
	if (access("/dev/kvm", F_OK))
		SKIP(return, "there is no KVM");
	ASSERT_EQ(0, guest_create(&vm));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	self->group = self->s.group_fd[0];
	ASSERT_EQ(0, guest_add_group(&vm, self->group));
}

FIXTURE_TEARDOWN(kvm)
{
	guest_close(&vm);
	CHECK_BALANCE(&self->s, &self->balance);
}

TEST_F(kvm, qemu_3_finds_the_table_of_each_window)
{
	uint64_t start;

	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE));
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE));

	SKIP_WITHOUT_LARGE_PAGES(TCE_SHIFT_64K);
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_64K, GIB, 2, &start));
	ASSERT_EQ(SECOND_WINDOW, start);
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_64K, start, GIB));

	ASSERT_EQ(0, spapr_remove(self->fd, start));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_64K, start, GIB));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE));
}

/* The guest's table begins at the same address, is no larger, and has pages that are no smaller. */
TEST_F(kvm, qemu_3_only_a_table_that_fits)
{
	uint64_t start;

	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE / 2));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE + TCE_PAGE_4K));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, TCE_PAGE_4K, MIB));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_64K, 0, WINDOW_SIZE));
	SKIP_WITHOUT_LARGE_PAGES(TCE_SHIFT_64K);
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_64K, GIB, 1, &start));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, start, GIB));
}

/* KVM has a reference to the table: who removes the window or leaves does not wait for KVM. */
TEST_F(kvm, window_is_removed_while_kvm_has_its_table)
{
	uint64_t start;
	int table;

	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	table = guest_create_table(&vm, LIOBN, TCE_SHIFT_4K, 0, WINDOW_SIZE);
	ASSERT_LE(0, table);
	ASSERT_EQ(0, guest_set_table(&vm, self->group, table));
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 2, &start));
	EXPECT_EQ(0, guest_set_table(&vm, self->group, table));
	spapr_close(&self->s);
	close(table);
}

static void *attach_tables(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int table;

	while (!atomic_load(&race->stop)) {
		table = guest_create_table(&vm, LIOBN, TCE_SHIFT_4K, 0, WINDOW_SIZE);
		/* The last one is not gone yet. */
		if (table == -EBUSY)
			continue;
		if (table < 0)
			race_note(race, table, "guest_create_table");
		atomic_store(&attached, table);
		EXPECT_ONE_OF(race, guest_set_table(&vm, race->s->group_fd[0], table), 0, -EBADF);
	}
	return NULL;
}

static void *close_tables(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int table;

	while (!atomic_load(&race->stop)) {
		table = atomic_exchange(&attached, -1);
		if (table >= 0)
			close(table);
	}
	return NULL;
}

TEST_F(kvm, past_11_table_is_closed_while_it_is_attached)
{
	struct race race;

	race_init(&race, &self->s, NULL, 0);
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	RACE(&race, RACE_SECONDS, attach_tables, close_tables);
	if (attached >= 0)
		close(attached);
}

TEST_HARNESS_MAIN

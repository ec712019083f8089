// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables that KVM has and should do nothing to: those of another process's container, and those whose
 * window is gone. Its answer is then to leave the hypercall to user space, which knows better.
 */
#include "kvm_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#define ROUNDS		5
/* Where the page is that holds the memory. */
#define ELSEWHERE	(2 * MIB)

static bool takes_the_table(FIXTURE_DATA(guest) *other, int group_fd)
{
	struct guest *g = &other->guest;

	if (spapr_register(other->s.container, other->buffer, other->size) ||
	    guest_create(g) || guest_start(g, 1) ||
	    guest_add_memory(g, GUEST_MEMORY, other->buffer, other->size) ||
	    guest_add_group(g, group_fd))
		return false;
	other->table = guest_create_table(g, LIOBN, TCE_SHIFT_4K, 0, WINDOW_SIZE);
	return other->table >= 0 && !guest_set_table(g, group_fd, other->table);
}

/*
 * The other process: it has a container with the second group, where it registers its copy of our
 * memory, and a virtual machine that was given our first group.
 */
static int other_process(const FIXTURE_DATA(window) *self, uint64_t iova, bool map)
{
	FIXTURE_DATA(guest) other = { .buffer = self->buffer, .size = self->size };
	long result = GUEST_STUCK;

	guest_init(&other.guest);
	if (spapr_open_group(&other.s, 1))
		return GUEST_STUCK;
	if (takes_the_table(&other, self->s.group_fd[0]))
		result = map ? put(&other, iova, other.buffer + PAGE) : stuff(&other, iova, 1);
	guest_close(&other.guest);
	spapr_close(&other.s);
	return (int)result;
}

/* What the other process's hypercall returned. */
static int by_another_process(const FIXTURE_DATA(window) *self, uint64_t iova, bool map)
{
	static const int result[] = { H_SUCCESS, H_TOO_HARD };
	pid_t child = fork();
	int status, i;

	if (!child) {
		status = other_process(self, iova, map);
		for (i = 0; i < 2 && status != result[i]; i++)
			;
		_exit(i);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) > 1)
		return GUEST_STUCK;
	return result[WEXITSTATUS(status)];
}

/* The device only reads: a page of a process that has ended may be anybody's. */
TEST_F(window, d19_another_process_maps_over_our_page)
{
	SKIP_WITHOUT_GUEST();
	SKIP_ON_KERNEL_TABLES();
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, spapr_map(self->fd, MIB, self->buffer, PAGE, MAP_RW));
		EXPECT_EQ(H_TOO_HARD, by_another_process(self, MIB, true));
		EXPECT_READS(self, MIB, self->buffer);
		EXPECT_EQ(0, spapr_unmap(self->fd, MIB, PAGE));
	}
	EXPECT_NOTHING_MAPPED(self);
}

/* What we unmap then is not our page: it must not count for one. */
TEST_F(window, d19_another_process_maps_beside_our_pages)
{
	SKIP_WITHOUT_GUEST();
	SKIP_ON_KERNEL_TABLES();
	for (int i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(H_TOO_HARD, by_another_process(self, MIB, true));
		EXPECT_NO_READS(self, MIB, self->buffer + PAGE);
		EXPECT_EQ(0, spapr_unmap(self->fd, MIB, PAGE));
		ASSERT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	}
	EXPECT_NOTHING_MAPPED(self);
}

TEST_F(window, d19_another_process_unmaps_our_page)
{
	SKIP_WITHOUT_GUEST();
	SKIP_ON_KERNEL_TABLES();
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, spapr_map(self->fd, MIB, self->buffer, PAGE, MAP_RW));
		by_another_process(self, MIB, false);
		EXPECT_READS(self, MIB, self->buffer);
		EXPECT_EQ(0, spapr_unmap(self->fd, MIB, PAGE));
	}
	EXPECT_NOTHING_MAPPED(self);
}

/* The guest goes on with a table that no window has any more. */
#define EXPECT_TABLE_IS_DEAD(self) do {							\
	for (unsigned int i = 0; i < ROUNDS; i++)					\
		EXPECT_EQ(H_TOO_HARD, put(self, MIB + i * PAGE, (self)->buffer));	\
} while (0)

TEST_F(guest, d20_the_window_is_removed)
{
	SKIP_ON_KERNEL_TABLES();
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_TABLE_IS_DEAD(self);
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(guest, d20_the_window_is_made_again)
{
	uint64_t start;

	SKIP_ON_KERNEL_TABLES();
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	ASSERT_EQ(0, start);
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	EXPECT_TABLE_IS_DEAD(self);
	/* It is not the new window's. */
	EXPECT_NO_WRITES(self, MIB, self->buffer);
	stuff(self, MIB, ROUNDS);
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	EXPECT_NOTHING_MAPPED(self);
}

/* The container is another one, the process is the same, and registers the same memory. */
TEST_F(guest, d20_the_group_moves_to_another_container)
{
	SKIP_ON_KERNEL_TABLES();
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	close(self->s.container);
	self->s.container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->s.container);
	ASSERT_EQ(0, spapr_attach(&self->s, 0));
	ASSERT_EQ(0, spapr_set_iommu(self->s.container, VFIO_SPAPR_TCE_v2_IOMMU));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	EXPECT_TABLE_IS_DEAD(self);
	EXPECT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
}

TEST_HARNESS_MAIN

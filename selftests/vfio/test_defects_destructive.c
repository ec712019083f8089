// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that a faulty driver answers by writing where it may not, or by taking all memory: the
 * kernel is not to be trusted after a failure here. Run this program last.
 */
#include "fixture.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE TCE_PAGE_4K

/* The table of the window ends where the window does: it fills its pages. */
TEST_F(window, d1_map_past_window_end)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, WINDOW_SIZE - 2 * PAGE, self->buffer, 4 * PAGE,
				     MAP_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, WINDOW_SIZE - 2 * PAGE, self->buffer,
				self->scratch_iova, self->scratch);
	/* The call counted nothing either. */
	ASSERT_EQ(0, spapr_unmap(self->fd, self->scratch_iova, PAGE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(window, d1_map_far_past_window_end)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, WINDOW_SIZE - PAGE, self->buffer, self->size,
				     MAP_RW));
}

TEST_F(window, d1_unmap_past_window_end)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, WINDOW_SIZE - PAGE, 2 * PAGE));
	/* Refused as a whole: the last page is still mapped. */
	EXPECT_DEVICE_READS(self->edu, self->scratch_iova, self->scratch, self->scratch_iova,
			    self->scratch);
}

/* The device can be pointed at the second window, too. */
TEST_F(window, d1_map_past_the_end_of_the_second_window)
{
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, start + WINDOW_SIZE - PAGE, self->buffer, 2 * PAGE,
				     MAP_RW));
	EXPECT_EQ(0, spapr_remove(self->fd, start));
}

/*
 * The kernel could allocate the array of page addresses, and would then go on to fill all of the
 * memory that there is.
 */
TEST_F(container, d16_register_twice_the_memory)
{
	const size_t size = 2UL * (size_t)sysconf(_SC_PHYS_PAGES) * page_size();
	long locked = balance_locked_kib();
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-ENOMEM, spapr_register(self->s.container, p, size));
	EXPECT_EQ(locked, balance_locked_kib());
	munmap(p, size);
}

/* The index has no bit left for what is behind the end: it comes out at the beginning. */
TEST_F(container, d5_map_past_the_end_of_a_multilevel_window)
{
	uint8_t *scratch = self->buffer + self->size - PAGE;
	const uint64_t scratch_iova = MIB;
	int fd = self->s.container;

	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_create_at_0(fd, GIB, 2));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(fd, scratch_iova, scratch, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(fd, GIB - PAGE, self->buffer, 2 * PAGE, MAP_RW));
	EXPECT_NO_DEVICE_WRITES(&self->s.edu[0], 0, self->buffer + PAGE, scratch_iova, scratch);
	/* What is refused because of its end has no beginning either. */
	ASSERT_EQ(0, spapr_unmap(fd, scratch_iova, PAGE));
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, self->size));
}

TEST_F(container, d5_unmap_past_the_end_of_a_multilevel_window)
{
	int fd = self->s.container;

	ASSERT_EQ(0, spapr_create_at_0(fd, GIB, 2));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	EXPECT_EQ(-EINVAL, spapr_unmap(fd, GIB - PAGE, 2 * PAGE));
}

TEST_HARNESS_MAIN

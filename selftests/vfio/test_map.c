// SPDX-License-Identifier: GPL-2.0-only
/* MAP_DMA and UNMAP_DMA. */
#include "fixture.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE TCE_PAGE_4K

/* ---- What the device sees ---- */

TEST_F(window, device_reads_and_writes_mapped_memory)
{
	uint8_t *page = self->buffer;

	ASSERT_EQ(0, spapr_map(self->fd, MIB, page, PAGE, MAP_RW));
	EXPECT_DEVICE_READS(self->edu, MIB, page, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_WRITES(self->edu, MIB, page, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, MIB, PAGE));
}

TEST_F(window, device_gets_nothing_after_unmap)
{
	uint8_t *page = self->buffer;

	ASSERT_EQ(0, spapr_map(self->fd, MIB, page, PAGE, MAP_RW));
	EXPECT_DEVICE_READS(self->edu, MIB, page, self->scratch_iova, self->scratch);
	ASSERT_EQ(0, spapr_unmap(self->fd, MIB, PAGE));
	EXPECT_NO_DEVICE_READS(self->edu, MIB, page, self->scratch_iova, self->scratch);
	EXPECT_NO_DEVICE_WRITES(self->edu, MIB, page, self->scratch_iova, self->scratch);
}

TEST_F(window, device_gets_nothing_before_map)
{
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(window, read_only_mapping)
{
	uint8_t *page = self->buffer;

	ASSERT_EQ(0, spapr_map(self->fd, 0, page, PAGE, MAP_RO));
	EXPECT_DEVICE_READS(self->edu, 0, page, self->scratch_iova, self->scratch);
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, page, self->scratch_iova, self->scratch);
}

TEST_F(window, write_only_mapping)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_WO));
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

/* A page that becomes read-only is not writable any more. */
TEST_F(window, remap_with_fewer_rights)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RO));
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(window, every_page_of_a_call_goes_to_its_place)
{
	const size_t pages = BUFFER_PAGES / 2;
	uint8_t *last = self->buffer + (pages - 1) * PAGE;

	ASSERT_EQ(0, spapr_map(self->fd, MIB, self->buffer, pages * PAGE, MAP_RW));
	EXPECT_DEVICE_READS(self->edu, MIB, self->buffer, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_READS(self->edu, MIB + 5 * PAGE, self->buffer + 5 * PAGE,
			    self->scratch_iova, self->scratch);
	EXPECT_DEVICE_WRITES(self->edu, MIB + (pages - 1) * PAGE, last, self->scratch_iova,
			     self->scratch);
	/* Nothing before, nothing behind. */
	EXPECT_NO_DEVICE_WRITES(self->edu, MIB + pages * PAGE, last + PAGE, self->scratch_iova,
				self->scratch);
	EXPECT_NO_DEVICE_WRITES(self->edu, MIB - PAGE, self->buffer, self->scratch_iova,
				self->scratch);
}

TEST_F(window, unmap_clears_only_its_range)
{
	uint8_t *page = self->buffer;

	ASSERT_EQ(0, spapr_map(self->fd, 0, page, 3 * PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_unmap(self->fd, PAGE, PAGE));
	EXPECT_DEVICE_WRITES(self->edu, 0, page, self->scratch_iova, self->scratch);
	EXPECT_NO_DEVICE_WRITES(self->edu, PAGE, page + PAGE, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_WRITES(self->edu, 2 * PAGE, page + 2 * PAGE, self->scratch_iova,
			     self->scratch);
}

TEST_F(window, qemu_5_remap_of_a_live_iova)
{
	uint8_t *first = self->buffer, *second = memory_get(page_size());

	ASSERT_EQ(0, spapr_register(self->fd, second, page_size()));
	ASSERT_EQ(0, spapr_map(self->fd, 0, first, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, 0, second, PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, 0, second, self->scratch_iova, self->scratch);
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, first, self->scratch_iova, self->scratch);
	/* The page that was replaced is not counted as mapped any more, nor is one too many. */
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unregister(self->fd, second, page_size()));
	memory_put(second, page_size());
}

TEST_F(window, qemu_5_remap_of_the_same_page)
{
	ASSERT_EQ(0, spapr_unmap(self->fd, self->scratch_iova, PAGE));
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(0, spapr_map(self->fd, 0, self->buffer, 4 * PAGE, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, 4 * PAGE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(window, qemu_5_unmap_of_what_is_not_mapped)
{
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, 4 * MIB));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
	/* A mistaken count would let go of memory that the device still reaches. */
	EXPECT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(window, unmap_of_the_whole_window)
{
	for (uint64_t iova = 0; iova < WINDOW_SIZE; iova += MIB)
		ASSERT_EQ(0, spapr_map(self->fd, iova, self->buffer, 2 * PAGE, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, WINDOW_SIZE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

/* ---- Registered memory ---- */

TEST_F(window, span_over_two_adjacent_regions)
{
	const size_t half = 4 * page_size();
	uint8_t *p = memory_get(2 * half);

	ASSERT_EQ(0, spapr_register(self->fd, p + half, half));
	ASSERT_EQ(0, spapr_register(self->fd, p, half));
	ASSERT_EQ(0, spapr_map(self->fd, MIB, p, 2 * half, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, MIB + half - PAGE, p + half - PAGE, self->scratch_iova,
			     self->scratch);
	EXPECT_DEVICE_WRITES(self->edu, MIB + half, p + half, self->scratch_iova, self->scratch);
	/* Each page counts for the region that it is in. */
	EXPECT_EQ(0, spapr_unmap(self->fd, MIB, half));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, half));
	EXPECT_EQ(0, spapr_unmap(self->fd, MIB + half, half));
	EXPECT_EQ(0, spapr_unregister(self->fd, p + half, half));
	memory_put(p, 2 * half);
}

TEST_F(window, hole_in_registered_memory)
{
	const size_t size = page_size();
	uint8_t *p = memory_get(3 * size);

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_register(self->fd, p + 2 * size, size));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, MIB, p, 3 * size, MAP_RW));
	/* Nothing of the refused call is there. */
	EXPECT_NO_DEVICE_WRITES(self->edu, MIB, p, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(0, spapr_unregister(self->fd, p + 2 * size, size));
	memory_put(p, 3 * size);
}

TEST_F(window, d15_failed_map_keeps_older_mappings)
{
	const size_t size = page_size();
	uint8_t *p = memory_get(2 * size);

	/* Only the first page of the new range is registered. */
	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, 2 * size, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, p, 2 * size, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_WRITES(self->edu, size, self->buffer + size, self->scratch_iova,
			     self->scratch);
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	memory_put(p, 2 * size);
}

/* ---- Arguments ---- */

TEST_F(container, errno_1_map_before_register_is_eperm)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	EXPECT_EQ(-EPERM, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EPERM, spapr_unmap(self->s.container, 0, PAGE));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	ASSERT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	EXPECT_EQ(-EPERM, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EPERM, spapr_unmap(self->s.container, 0, PAGE));
}

TEST_F(window, errno_2_iova_in_no_window_is_enxio)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	EXPECT_EQ(-ENXIO, spapr_map(self->fd, WINDOW_SIZE, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-ENXIO, spapr_map(self->fd, 1UL << 59, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-ENXIO, spapr_map(self->fd, -PAGE, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-ENXIO, spapr_unmap(self->fd, WINDOW_SIZE, PAGE));
	EXPECT_EQ(-ENXIO, spapr_unmap(self->fd, 1UL << 59, PAGE));
	EXPECT_EQ(-ENXIO, spapr_unmap(self->fd, -PAGE, PAGE));
}

TEST_F(window, map_without_direction)
{
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer, PAGE, 0));
}

TEST_F(window, map_unknown_flags)
{
	for (int bit = 2; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW | 1U << bit));
}

TEST_F(window, map_misaligned_address_or_size)
{
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer + 1, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer + PAGE / 2, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer, PAGE + 1, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer, PAGE / 2, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, 0, PAGE + 1));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, 0, PAGE - 1));
}

TEST_F(window, d17_map_misaligned_iova)
{
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 1, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, PAGE / 2, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, WINDOW_SIZE - 1, self->buffer, PAGE, MAP_RW));
}

TEST_F(window, d17_unmap_misaligned_iova)
{
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, 2 * PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, 1, PAGE));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, PAGE / 2, PAGE));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, WINDOW_SIZE - 1, PAGE));
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(window, map_the_ends_of_the_window)
{
	EXPECT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(0, spapr_map(self->fd, WINDOW_SIZE - 4 * PAGE, self->buffer, 4 * PAGE, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(self->fd, WINDOW_SIZE - 4 * PAGE, 4 * PAGE));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
}

TEST_HARNESS_MAIN

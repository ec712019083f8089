// SPDX-License-Identifier: GPL-2.0-only
/* What QEMU does, call by call. The numbers are those of Documentation/clients.rst. */
#include "fixture.h"

#include <errno.h>

/* RAM sections are registered while nobody has asked anything of the container yet. */
TEST_F(container, qemu_1_register_before_get_info)
{
	struct vfio_iommu_spapr_tce_info info;
	const size_t section = self->size / 4;

	for (size_t at = 0; at < self->size; at += section)
		ASSERT_EQ(0, spapr_register(self->s.container, self->buffer + at, section));
	ASSERT_EQ(0, spapr_get_info(self->s.container, &info));
	EXPECT_NE(0, info.dma32_window_size);
	EXPECT_NE(0, info.ddw.pgsizes);
	EXPECT_EQ((long)(self->size / KIB), balance_locked_kib());
}

/* The page size for a window: the largest of the group up to the guest's and the backing's. */
static uint32_t choose_page_shift(const struct vfio_iommu_spapr_tce_info *info,
				  uint32_t guest_shift, uint32_t backing_shift)
{
	const uint32_t most = guest_shift < backing_shift ? guest_shift : backing_shift;
	const uint64_t possible = info->ddw.pgsizes & ((2UL << most) - 1);

	return 63 - (uint32_t)__builtin_clzl(possible);
}

/*
 * Tries more and more levels, whatever the error and whatever GET_INFO says of levels. Returns how
 * many it took, or the last errno.
 */
static int create_with_enough_levels(int fd, uint32_t page_shift, uint64_t size, uint32_t levels,
				     uint64_t *start)
{
	const uint32_t most = (64 - page_shift) / (uint32_t)__builtin_ctzl(page_size());
	int ret = -EINVAL;

	for (; levels <= most; levels++) {
		ret = spapr_create(fd, page_shift, size, levels, start);
		if (!ret)
			return (int)levels;
	}
	return ret;
}

/* From a guess, as QEMU does: what can be allocated is at least 8 orders of pages. */
static uint32_t guess_levels(uint32_t page_shift, uint64_t size)
{
	const uint32_t bits = (uint32_t)__builtin_ctzl(size >> page_shift);
	const uint32_t per_level = (uint32_t)__builtin_ctzl(page_size()) + 8;

	return (bits + per_level - 1) / per_level;
}

TEST_F(container, qemu_4_guessed_levels_work)
{
	static const uint64_t sizes[] = { 256 * MIB, GIB, 64 * GIB, TIB };
	int fd = self->s.container;
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_remove(fd, 0));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const uint32_t levels = guess_levels(TCE_SHIFT_4K, sizes[i]);
		uint64_t last;

		if (levels > spapr_levels(levels)) {
			EXPECT_GT(0, create_with_enough_levels(fd, TCE_SHIFT_4K, sizes[i], levels,
							       &start));
			continue;
		}
		start = 1;
		EXPECT_LT(0, create_with_enough_levels(fd, TCE_SHIFT_4K, sizes[i], levels, &start))
			TH_LOG("%lu MiB", sizes[i] / MIB);
		/* A partition's dynamic window is elsewhere. */
		if (!spapr_is_partition())
			EXPECT_EQ(0, start);
		last = start + sizes[i] - TCE_PAGE_4K;
		EXPECT_EQ(0, spapr_map(fd, start, self->buffer, TCE_PAGE_4K, MAP_RW));
		EXPECT_EQ(0, spapr_map(fd, last, self->buffer, TCE_PAGE_4K, MAP_RW));
		EXPECT_EQ(0, spapr_unmap(fd, start, TCE_PAGE_4K));
		EXPECT_EQ(0, spapr_unmap(fd, last, TCE_PAGE_4K));
		EXPECT_EQ(0, spapr_remove(fd, start));
		EXPECT_EQ((long)(self->size / KIB), balance_locked_kib());
	}
}

/* A table of one level of 128 MiB cannot be had: the failure leaves nothing, the next try works. */
TEST_F(container, qemu_4_retry_with_more_levels)
{
	int fd = self->s.container;
	uint64_t start = 1;

	if (spapr_is_partition())
		SKIP(return, "tables of partitions have one level");
	ASSERT_EQ(0, spapr_remove(fd, 0));
	EXPECT_EQ(2, create_with_enough_levels(fd, TCE_SHIFT_4K, 64 * GIB, 1, &start));
	EXPECT_EQ(0, start);
}

/* More levels than GET_INFO tells of, or than addresses have bits for: an error and no more. */
TEST_F(container, qemu_4_too_many_levels_are_an_error)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (uint32_t levels = 5; levels < 8; levels++)
		EXPECT_GT(0, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, levels, NULL));
	EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, 1, NULL));
}

/* Whatever the pages of the guest and of its RAM are, the page size that follows works. */
TEST_F(container, qemu_4_page_size_of_guest_and_backing)
{
	static const uint32_t guest_shifts[] = { 12, 16, 24, 34 };
	const uint32_t host_shift = (uint32_t)__builtin_ctzl(page_size());
	struct vfio_iommu_spapr_tce_info info;
	int fd = self->s.container, tried = 0;
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	ASSERT_EQ(0, spapr_get_info(fd, &info));
	ASSERT_EQ(0, spapr_remove(fd, 0));
	for (uint32_t backing = host_shift; backing <= 30; backing++) {
		const size_t size = 1UL << backing;
		uint8_t *p = backing == host_shift ? memory_get(size) :
						     memory_get_huge(size, backing);

		/* The machine has no pages of this size. */
		if (!p)
			continue;
		ASSERT_EQ(0, spapr_register(fd, p, size));
		for (size_t i = 0; i < sizeof(guest_shifts) / sizeof(guest_shifts[0]); i++) {
			const uint32_t shift = choose_page_shift(&info, guest_shifts[i], backing);

			EXPECT_EQ(0, spapr_create(fd, shift, 1024UL << shift, 1, &start));
			EXPECT_EQ(0, spapr_map(fd, start, p, 1UL << shift, MAP_RW))
				TH_LOG("guest %u, backing %u", guest_shifts[i], backing);
			EXPECT_EQ(0, spapr_remove(fd, start));
			tried++;
		}
		EXPECT_EQ(0, spapr_unregister(fd, p, size));
		memory_put(p, size);
	}
	/* At least the ordinary and one hugetlb size. */
	EXPECT_LE(8, tried);
}

/* The place at 0 is taken, so the window is elsewhere: QEMU removes it and gives up. */
TEST_F(container, qemu_4_window_at_an_unwanted_address_is_removed)
{
	int fd = self->s.container;
	uint64_t start = 0;
	long locked;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	ASSERT_EQ(0, spapr_create_at_0(fd, WINDOW_SIZE, 1));
	locked = balance_locked_kib();
	ASSERT_EQ(0, spapr_create(fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	ASSERT_NE(0, start);
	EXPECT_EQ(0, spapr_remove(fd, start));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(-EINVAL, spapr_remove(fd, start));
}

/* Everything still mapped, in both windows; then as QEMU ends. */
TEST_F(window, qemu_6_teardown)
{
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, GIB, spapr_levels(2), &start));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, self->size, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, start, self->buffer, self->size, MAP_RW));
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_EQ(0, spapr_remove(self->fd, start));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
	/* Errors of this are ignored; the second must be one. */
	EXPECT_EQ(-ENOENT, spapr_unregister(self->fd, self->buffer, self->size));
	EXPECT_EQ(0, balance_locked_kib());
	EXPECT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_EQ(0, close(self->s.container));
	self->s.container = -1;
}

/* Memory that is plugged in while the guest runs: a failure here would end QEMU. */
TEST_F(window, qemu_6_register_at_run_time)
{
	const size_t size = 64 * page_size();
	uint8_t *p = memory_get(16 * size);

	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, self->size / 2, MAP_RW));
	/* From the end to the beginning, each next to the one before. */
	for (int i = 15; i >= 0; i--) {
		ASSERT_EQ(0, spapr_register(self->fd, p + i * size, size));
		ASSERT_EQ(0, spapr_map(self->fd, 8 * MIB, p + i * size, page_size(), MAP_RW));
	}
	EXPECT_DEVICE_WRITES(self->edu, 8 * MIB, p, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, 8 * MIB, page_size()));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(0, spapr_unregister(self->fd, p + i * size, size));
	memory_put(p, 16 * size);
}

TEST_HARNESS_MAIN

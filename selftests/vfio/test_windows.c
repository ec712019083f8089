// SPDX-License-Identifier: GPL-2.0-only
/* TCE_CREATE, TCE_REMOVE and the default window. */
#include "fixture.h"

#include <errno.h>
#include <sys/mman.h>

/* The largest number of windows that any platform has. */
#define MAX_WINDOWS	8

static struct vfio_iommu_spapr_tce_info get_info(const struct spapr *s)
{
	struct vfio_iommu_spapr_tce_info info;

	if (spapr_get_info(s->container, &info))
		memset(&info, 0, sizeof(info));
	return info;
}

TEST_F(container, qemu_2_default_window_removed_right_away)
{
	struct vfio_iommu_spapr_tce_info info;

	/* QEMU has registered its memory by now. */
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	info = get_info(&self->s);
	EXPECT_EQ(0, spapr_remove(self->s.container, info.dma32_window_start));
	EXPECT_EQ((long)(self->size / KIB), balance_locked_kib());
	/* Once only. */
	EXPECT_EQ(-EINVAL, spapr_remove(self->s.container, info.dma32_window_start));
}

/* Nobody has said anything to the container yet. */
TEST_F(container, dpdk_2_remove_default_then_create_at_0)
{
	uint64_t start = 1;

	EXPECT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, 1, &start));
	EXPECT_EQ(0, start);
}

/* DPDK and QEMU try more and more levels until a window can be had. */
TEST_F(container, dpdk_2_create_with_any_number_of_levels)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	uint64_t start;

	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (uint32_t levels = 1; levels <= spapr_possible_levels(&info, TCE_SHIFT_4K); levels++) {
		start = 1;
		EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, levels, &start))
			TH_LOG("%u levels", levels);
		EXPECT_EQ(0, start);
		EXPECT_EQ(0, spapr_remove(self->s.container, start));
		EXPECT_EQ(0, balance_locked_kib());
	}
}

/* The table of a window and nothing else is what the container locks. */
TEST_F(container, window_is_charged_while_it_exists)
{
	uint64_t start;

	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	ASSERT_EQ(0, balance_locked_kib());
	ASSERT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, 1, &start));
	/* 8 bytes per 4K page at the least. */
	EXPECT_LE((long)(GIB / TCE_PAGE_4K * 8 / KIB), balance_locked_kib());
	EXPECT_EQ(0, spapr_remove(self->s.container, start));
	EXPECT_EQ(0, balance_locked_kib());
}

TEST_F(container, default_window_comes_with_the_first_create)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	uint64_t start = 0;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	/* The default window has the first place, so this one is elsewhere. */
	EXPECT_NE(info.dma32_window_start, start);
	EXPECT_EQ(0, spapr_map(self->s.container, info.dma32_window_start, self->buffer,
			       TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(0, spapr_map(self->s.container, start, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(0, spapr_remove(self->s.container, start));
	EXPECT_EQ(0, spapr_unmap(self->s.container, info.dma32_window_start, TCE_PAGE_4K));
	EXPECT_EQ(0, spapr_remove(self->s.container, info.dma32_window_start));
}

TEST_F(container, default_window_comes_with_the_first_map)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	const uint64_t last = info.dma32_window_start + info.dma32_window_size - TCE_PAGE_4K;
	uint8_t *scratch = self->buffer + TCE_PAGE_4K;
	int fd = self->s.container;

	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	EXPECT_EQ(0, spapr_map(fd, last, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(0, spapr_map(fd, info.dma32_window_start, scratch, TCE_PAGE_4K, MAP_RW));
	EXPECT_DEVICE_WRITES(&self->s.edu[0], last, self->buffer, info.dma32_window_start, scratch);
	EXPECT_EQ(-ENXIO, spapr_map(fd, last + TCE_PAGE_4K, self->buffer, TCE_PAGE_4K, MAP_RW));
}

TEST_F(container, default_window_comes_with_the_first_unmap)
{
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unmap(self->s.container, 0, TCE_PAGE_4K));
	EXPECT_EQ(-ENXIO, spapr_unmap(self->s.container, 1UL << 40, TCE_PAGE_4K));
}

/* A window that was given up does not come back on its own. */
TEST_F(container, removed_default_window_stays_away)
{
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(self->s.container, 0, self->buffer, TCE_PAGE_4K, MAP_RW));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-ENXIO, spapr_map(self->s.container, 0, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(-ENXIO, spapr_unmap(self->s.container, 0, TCE_PAGE_4K));
	EXPECT_EQ((long)(self->size / KIB), balance_locked_kib());
}

TEST_F(container, errno_5_no_free_window_is_enospc)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	const uint32_t windows = info.ddw.max_dynamic_windows_supported;
	uint64_t start[MAX_WINDOWS], extra;
	long locked;

	if (spapr_is_partition())
		SKIP(return, "the kernel makes the default window of a partition first or not at all");
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_LE(1, windows);
	ASSERT_GE(MAX_WINDOWS, windows);
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (uint32_t i = 0; i < windows; i++) {
		ASSERT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1,
					  &start[i]));
		for (uint32_t j = 0; j < i; j++)
			EXPECT_NE(start[i], start[j]);
	}
	locked = balance_locked_kib();
	EXPECT_EQ(-ENOSPC, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1, &extra));
	EXPECT_EQ(locked, balance_locked_kib());
	/* A place that is given back is the one that is handed out again. */
	for (uint32_t i = 0; i < windows; i++) {
		EXPECT_EQ(0, spapr_remove(self->s.container, start[i]));
		EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1, &extra));
		EXPECT_EQ(start[i], extra);
	}
}

TEST_F(container, errno_5_remove_takes_any_address_inside)
{
	static const uint64_t inside[] = { 0, 1, WINDOW_SIZE / 2 + 12345, WINDOW_SIZE - 1 };
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		ASSERT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1,
					  &start));
		EXPECT_EQ(-EINVAL, spapr_remove(self->s.container, start + WINDOW_SIZE));
		EXPECT_EQ(-EINVAL, spapr_remove(self->s.container, ~0UL));
		EXPECT_EQ(0, spapr_remove(self->s.container, start + inside[i]));
		EXPECT_EQ(-EINVAL, spapr_remove(self->s.container, start + inside[i]));
	}
}

TEST_F(container, every_page_size)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (uint32_t shift = 0; shift < 64; shift++) {
		if (!(info.ddw.pgsizes & (1UL << shift)))
			continue;
		start = 1;
		EXPECT_EQ(0, spapr_create(self->s.container, shift, 1024UL << shift, 1, &start))
			TH_LOG("page shift %u", shift);
		/* Firmware puts all but the default window elsewhere. */
		if (!spapr_is_partition() || shift == TCE_SHIFT_4K)
			EXPECT_EQ(0, start);
		EXPECT_EQ(0, spapr_remove(self->s.container, start));
		EXPECT_EQ(0, balance_locked_kib());
	}
}

TEST_F(container, unsupported_page_sizes)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);

	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (uint32_t shift = 0; shift < 64; shift++) {
		if (info.ddw.pgsizes & (1UL << shift))
			continue;
		EXPECT_EQ(-EINVAL, spapr_create(self->s.container, shift, GIB, 1, NULL))
			TH_LOG("page shift %u", shift);
	}
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, 64, GIB, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, 200, GIB, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, ~0U, GIB, 1, NULL));
	EXPECT_EQ(0, balance_locked_kib());
}

/* The shift instruction of the machine looks at the low 7 bits only: 140 works like 12. */
TEST_F(container, d6_page_shift_beyond_a_word)
{
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, 128 + 12, WINDOW_SIZE, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, 128 + 16, WINDOW_SIZE, 1, NULL));
}

TEST_F(container, d6_window_smaller_than_a_page)
{
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, 2 * KIB, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, 1, 1, NULL));
}

TEST_F(container, window_smaller_than_a_large_page)
{
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_64K, 32 * KIB, 1, NULL));
}

TEST_F(container, window_of_one_page)
{
	int fd = self->s.container;
	uint64_t start = 1;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_remove(fd, 0));
	ASSERT_EQ(0, spapr_create(fd, TCE_SHIFT_4K, TCE_PAGE_4K, 1, &start));
	ASSERT_EQ(0, start);
	EXPECT_EQ(0, spapr_map(fd, 0, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(fd, 0, TCE_PAGE_4K));
	EXPECT_EQ(0, spapr_remove(fd, 0));
}

TEST_F(container, window_size_0)
{
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, 0, 1, NULL));
	EXPECT_EQ(0, balance_locked_kib());
}

TEST_F(container, window_size_not_a_power_of_two)
{
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, 3 * MIB, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, MIB + 1, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, ~0UL, 1, NULL));
	EXPECT_EQ(0, balance_locked_kib());
}

TEST_F(container, levels_out_of_range)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, 0, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, GIB,
					info.ddw.levels + 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, ~0U, NULL));
	EXPECT_EQ(0, balance_locked_kib());
}

TEST_F(container, d16_too_large_window_is_quiet)
{
	static const uint64_t sizes[] = { 1UL << 42, 1UL << 46, 1UL << 54, 1UL << 62, 1UL << 63 };
	int ret;

	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ret = spapr_create(self->s.container, TCE_SHIFT_4K, sizes[i], 1, NULL);
		EXPECT_TRUE(ret == -ENOMEM || ret == -EINVAL)
			TH_LOG("%lx bytes: returned %d", sizes[i], ret);
	}
}

TEST_F(container, d3_failed_create_is_not_charged)
{
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	for (int i = 0; i < 3; i++)
		EXPECT_GT(0, spapr_create(self->s.container, TCE_SHIFT_4K, 1UL << 46, 1, NULL));
	EXPECT_EQ(0, balance_locked_kib());
}

/* The platform can refuse what GET_INFO seems to offer. */
TEST_F(container, d3_refused_levels_are_not_charged)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);

	if (spapr_possible_levels(&info, TCE_SHIFT_4K) == info.ddw.levels)
		SKIP(return, "%u levels are possible with these pages", info.ddw.levels);
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, GIB, info.ddw.levels,
					NULL));
	EXPECT_EQ(0, balance_locked_kib());
}

TEST_F(container, window_works_after_a_failed_create)
{
	int fd = self->s.container;
	uint64_t start = 1;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_remove(fd, 0));
	EXPECT_GT(0, spapr_create(fd, 13, GIB, 1, NULL));
	EXPECT_GT(0, spapr_create(fd, TCE_SHIFT_4K, 3, 1, NULL));
	EXPECT_EQ(0, spapr_create(fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	EXPECT_EQ(0, start);
	EXPECT_EQ(0, spapr_map(fd, 0, self->buffer, self->size, MAP_RW));
}

/* Nobody was told of the window, so it must not be there. */
TEST_F(container, create_result_not_copied_leaves_no_window)
{
	struct vfio_iommu_spapr_tce_create *arg = (void *)memory_get(page_size());
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	*arg = (struct vfio_iommu_spapr_tce_create) {
		.argsz = sizeof(*arg), .page_shift = TCE_SHIFT_4K,
		.window_size = WINDOW_SIZE, .levels = 1,
	};
	ASSERT_EQ(0, mprotect(arg, page_size(), PROT_READ));
	ASSERT_EQ(0, spapr_remove(self->s.container, 0));
	EXPECT_EQ(-EFAULT, spapr_ioctl(self->s.container, VFIO_IOMMU_SPAPR_TCE_CREATE, arg));
	EXPECT_EQ(0, balance_locked_kib());
	for (uint32_t i = 0; i < info.ddw.max_dynamic_windows_supported; i++)
		EXPECT_EQ(0, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	memory_put(arg, page_size());
}

TEST_F(window, past_8_window_removed_with_live_mappings)
{
	uint8_t *page = memory_get(page_size());

	ASSERT_EQ(0, spapr_register(self->fd, page, page_size()));
	ASSERT_EQ(0, spapr_map(self->fd, 0, page, TCE_PAGE_4K, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, 0, page, self->scratch_iova, self->scratch);
	pattern_fill(page, TCE_PAGE_4K, 0x77);
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_EQ(0, edu_store(self->edu, 0, EDU_BUFFER_SIZE));
	EXPECT_TRUE(pattern_is(page, TCE_PAGE_4K, 0x77));
	EXPECT_EQ(0, spapr_unregister(self->fd, page, page_size()));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
	memory_put(page, page_size());
}

/* The table of a new window is empty, whatever the one before it had in this place. */
TEST_F(window, new_window_has_no_old_mappings)
{
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, TCE_PAGE_4K, MAP_RW));
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, TCE_PAGE_4K, MAP_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

/* Both windows at the same time; the second is above 4 GiB and needs a device that gets there. */
TEST_F(window, second_window_moves_data)
{
	uint64_t start;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	ASSERT_EQ(0, spapr_map(self->fd, start + MIB, self->buffer, TCE_PAGE_4K, MAP_RW));
	/* An edu device with a narrow DMA mask drops the high bits and comes out here. */
	ASSERT_EQ(0, spapr_map(self->fd, MIB, self->buffer + TCE_PAGE_4K, TCE_PAGE_4K, MAP_RW));
	pattern_fill(self->buffer + TCE_PAGE_4K, TCE_PAGE_4K, 0x77);
	pattern_fill(self->scratch, TCE_PAGE_4K, 0x66);
	ASSERT_EQ(0, edu_fetch(self->edu, self->scratch_iova, EDU_BUFFER_SIZE));
	ASSERT_EQ(0, edu_store(self->edu, start + MIB, EDU_BUFFER_SIZE));
	if (pattern_is(self->buffer + TCE_PAGE_4K, TCE_PAGE_4K, 0x66))
		SKIP(return, "the edu device's dma_mask does not reach the window");
	EXPECT_TRUE(pattern_is(self->buffer, TCE_PAGE_4K, 0x66));
	/* Removing one leaves the other alone. */
	EXPECT_EQ(0, spapr_remove(self->fd, start));
	EXPECT_DEVICE_READS(self->edu, MIB, self->buffer + TCE_PAGE_4K, self->scratch_iova,
			    self->scratch);
}

FIXTURE(levels)
{
	struct balance balance;
	struct spapr s;
	uint8_t *buffer;
	size_t size;
};

FIXTURE_VARIANT(levels)
{
	uint32_t levels;
	uint64_t window_size;
};

FIXTURE_VARIANT_ADD(levels, 1) { .levels = 1, .window_size = GIB };
FIXTURE_VARIANT_ADD(levels, 2) { .levels = 2, .window_size = GIB };
FIXTURE_VARIANT_ADD(levels, 3) { .levels = 3, .window_size = 2 * GIB };
FIXTURE_VARIANT_ADD(levels, 4) { .levels = 4, .window_size = 2 * GIB };

FIXTURE_SETUP(levels)
{
	struct vfio_iommu_spapr_tce_info info;

	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_get_info(self->s.container, &info));
	if (spapr_possible_levels(&info, TCE_SHIFT_4K) < variant->levels)
		SKIP(return, "at most %u levels are possible", spapr_possible_levels(&info, TCE_SHIFT_4K));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_create_at_0(self->s.container, variant->window_size, variant->levels));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
}

FIXTURE_TEARDOWN(levels)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

/* The first leaf, the last one, and a mapping across the border of two leaves. */
TEST_F(levels, device_reaches_every_part)
{
	const uint64_t border = spapr_leaf_reach(), last = 256 * MIB - TCE_PAGE_4K;
	uint8_t *page = self->buffer, *scratch = self->buffer + 4 * TCE_PAGE_4K;
	struct edu *edu = &self->s.edu[0];
	int fd = self->s.container;

	/* The last page that every edu device can address. */
	ASSERT_EQ(0, spapr_map(fd, last, scratch, TCE_PAGE_4K, MAP_RW));
	ASSERT_EQ(0, spapr_map(fd, border - TCE_PAGE_4K, page, 2 * TCE_PAGE_4K, MAP_RW));
	EXPECT_DEVICE_WRITES(edu, border - TCE_PAGE_4K, page, last, scratch);
	EXPECT_DEVICE_WRITES(edu, border, page + TCE_PAGE_4K, last, scratch);
	EXPECT_EQ(0, spapr_unmap(fd, border - TCE_PAGE_4K, TCE_PAGE_4K));
	EXPECT_DEVICE_READS(edu, border, page + TCE_PAGE_4K, last, scratch);
	EXPECT_NO_DEVICE_READS(edu, border - TCE_PAGE_4K, page, last, scratch);
}

TEST_F(levels, map_the_ends_of_the_window)
{
	const uint64_t size = variant->window_size;
	int fd = self->s.container;

	EXPECT_EQ(0, spapr_map(fd, 0, self->buffer, 2 * TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(0, spapr_map(fd, size - 2 * TCE_PAGE_4K, self->buffer, 2 * TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(-ENXIO, spapr_map(fd, size, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(fd, size - 2 * TCE_PAGE_4K, 2 * TCE_PAGE_4K));
	EXPECT_EQ(0, spapr_unmap(fd, 0, 2 * TCE_PAGE_4K));
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, self->size));
}

/* There is no level below the first one yet. */
TEST_F(levels, unmap_of_the_untouched)
{
	EXPECT_EQ(0, spapr_unmap(self->s.container, 0, 16 * spapr_leaf_reach()));
	EXPECT_EQ(0, spapr_unmap(self->s.container, variant->window_size - TCE_PAGE_4K,
				 TCE_PAGE_4K));
}

TEST_F(levels, unmap_finds_the_mapped_among_the_untouched)
{
	const uint64_t leaf = spapr_leaf_reach(), end = 16 * leaf;
	const uint64_t at[] = {
		0, leaf - TCE_PAGE_4K, leaf, end / 2 + leaf / 2, end - TCE_PAGE_4K,
	};
	int fd = self->s.container;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		ASSERT_EQ(0, spapr_map(fd, at[i], self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(fd, 0, end));
	/* It fails as long as a single one is left. */
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, self->size));
}

TEST_F(levels, remap_and_close)
{
	int fd = self->s.container;

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, spapr_map(fd, spapr_leaf_reach() - TCE_PAGE_4K, self->buffer, self->size,
				       MAP_RW));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/* What DPDK does, call by call. The numbers are those of Documentation/clients.rst. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>

#define MAX_HUGE_SHIFT	24

/* The end of the machine's memory, as a power of two. */
static uint64_t window_over_system_ram(void)
{
	unsigned long start, last, top = 0, size = 1;
	char line[256];
	FILE *f;

	f = fopen("/proc/iomem", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "System RAM") && sscanf(line, "%lx-%lx", &start, &last) == 2)
			top = last > top ? last : top;
	}
	fclose(f);
	while (size <= top)
		size *= 2;
	return top ? size : 0;
}

/*
 * The window covers the machine's memory in pages of the size of the huge pages in use. In a
 * partition it is at an address of its own: only one like the default window can be at 0.
 */
TEST_F(container, dpdk_2_window_over_system_ram_of_huge_pages)
{
	const uint64_t size = window_over_system_ram();
	struct vfio_iommu_spapr_tce_info info;
	uint32_t shift = 17, levels = 1;
	int fd = self->s.container, ret;
	uint64_t start = 1, huge, last;
	uint8_t *segment;

	SKIP_WITHOUT_LARGE_PAGES(shift);
	while (shift <= MAX_HUGE_SHIFT && memory_huge_free(shift) < 2)
		shift++;
	if (shift > MAX_HUGE_SHIFT)
		SKIP(return, "there are no huge pages");
	huge = 1UL << shift;
	ASSERT_NE(0, size);
	ASSERT_EQ(0, spapr_get_info(fd, &info));
	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	ASSERT_EQ(0, spapr_remove(fd, info.dma32_window_start));
	ret = spapr_create(fd, shift, size, levels, &start);
	while (ret && ++levels <= info.ddw.levels)
		ret = spapr_create(fd, shift, size, levels, &start);
	ASSERT_EQ(0, ret);
	if (!spapr_is_partition())
		ASSERT_EQ(0, start);
	last = start + size - huge;

	segment = memory_get_huge(2 * huge, shift);
	ASSERT_NE(NULL, segment);
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, spapr_register(fd, segment + i * huge, huge));
		ASSERT_EQ(0, spapr_map(fd, i ? last : start, segment + i * huge, huge, MAP_RW));
	}
	/* Not its end: the 64K below 4 GiB are where PHBs take MSIs. */
	EXPECT_DEVICE_WRITES(&self->s.edu[0], last, segment + huge, start, segment);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, spapr_unmap(fd, i ? last : start, huge));
		EXPECT_EQ(0, spapr_unregister(fd, segment + i * huge, huge));
	}
	memory_put(segment, 2 * huge);
}

/*
 * Without huge pages: the same in pages of the host, where one level is not enough. In a partition
 * one is.
 */
TEST_F(container, dpdk_2_window_over_system_ram_of_ordinary_pages)
{
	const uint64_t size = window_over_system_ram();
	const uint32_t shift = (uint32_t)__builtin_ctzl(page_size());
	struct vfio_iommu_spapr_tce_info info;
	int fd = self->s.container, ret;
	uint64_t start = 1, iova;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	ASSERT_NE(0, size);
	ASSERT_EQ(0, spapr_get_info(fd, &info));
	ASSERT_EQ(0, spapr_remove(fd, info.dma32_window_start));
	ret = spapr_create(fd, shift, size, 1, &start);
	for (uint32_t levels = 2; ret && levels <= info.ddw.levels; levels++)
		ret = spapr_create(fd, shift, size, levels, &start);
	ASSERT_EQ(0, ret);
	if (!spapr_is_partition())
		EXPECT_EQ(0, start);
	iova = start + size - self->size;
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	EXPECT_EQ(0, spapr_map(fd, iova, self->buffer, self->size, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(fd, iova, self->size));
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, self->size));
}

TEST_HARNESS_MAIN

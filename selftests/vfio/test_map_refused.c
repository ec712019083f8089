// SPDX-License-Identifier: GPL-2.0-only
/*
 * MAP_DMA and UNMAP_DMA that come to nothing at their very first page.
 *
 * A driver that then asks the firmware of a POWER8 to forget no page at all never gets an answer:
 * the firmware counts the pages down past zero. Where that is to be expected, run this program in
 * a boot of its own.
 */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define PAGE TCE_PAGE_4K

TEST_F(window, errno_2_map_of_unregistered_is_einval)
{
	const size_t size = page_size();
	uint8_t *p = memory_get(size);

	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, p, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, NULL, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, (void *)-PAGE, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, (void *)0xc000000000000000, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer - size, size, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer + self->size, size, MAP_RW));
	/* Memory that was registered once. */
	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, p, PAGE, MAP_RW));
	memory_put(p, size);
}

/* SPDK uses the container that DPDK made, and does not know of registration. */
TEST_F(window, spdk_1_map_2m_without_register_is_einval)
{
	uint8_t *p = memory_get_aligned(2 * MIB, 2 * MIB);

	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 2 * MIB, p, 2 * MIB, MAP_RW));
	memory_put(p, 2 * MIB);
}

TEST_F(window, map_size_0)
{
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer, 0, MAP_RW));
}

TEST_F(window, unmap_size_0)
{
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, 0, 0));
}

/* Sums that wrap around the end of the address space. */
TEST_F(window, map_overflow)
{
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, PAGE, self->buffer, -PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, self->buffer, -PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 0, (void *)-PAGE, 2 * PAGE, MAP_RW));
	/* Still one page and no more is mapped. */
	ASSERT_EQ(0, spapr_unmap(self->fd, self->scratch_iova, PAGE));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(container, errno_2_iommu_page_larger_than_backing_is_einval)
{
	const size_t size = 64 * KIB;
	uint8_t *p = memory_get_aligned(size, size);
	int fd = self->s.container;
	uint64_t start;

	SKIP_WITHOUT_LARGE_PAGES(TCE_SHIFT_64K);
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	if (page_size() >= size)
		SKIP(memory_put(p, size); return, "pages are 64K");
	ASSERT_EQ(0, spapr_remove(fd, 0));
	ASSERT_EQ(0, spapr_create(fd, TCE_SHIFT_64K, 64 * MIB, 1, &start));
	ASSERT_EQ(0, spapr_register(fd, p, size));
	EXPECT_EQ(-EINVAL, spapr_map(fd, start, p, size, MAP_RW));
	EXPECT_EQ(0, spapr_unregister(fd, p, size));
	memory_put(p, size);
}

static unsigned long thp_size(void)
{
	unsigned long size = 0;
	FILE *f;

	f = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "re");
	if (f) {
		if (fscanf(f, "%lu", &size) != 1)
			size = 0;
		fclose(f);
	}
	return size;
}

/* How much of this process is in transparent huge pages now, in KiB. */
static long thp_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *f;

	f = fopen("/proc/self/smaps_rollup", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "AnonHugePages: %ld", &kib) == 1)
			break;
	}
	fclose(f);
	return kib;
}

/*
 * A transparent huge page can be split at any time: it must never be behind one large TCE,
 * however large it is today.
 */
TEST_F(container, past_2_thp_in_a_large_window_is_refused)
{
	const unsigned long size = thp_size();
	struct vfio_iommu_spapr_tce_info info;
	int fd = self->s.container, tried = 0;
	uint64_t start;
	uint8_t *p;

	SKIP_WITHOUT_LARGE_PAGES(TCE_SHIFT_64K + 1);
	if (!size)
		SKIP(return, "the kernel has no transparent huge pages");
	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	p = memory_get_aligned(2 * size, size);
	ASSERT_EQ(0, madvise(p, 2 * size, MADV_HUGEPAGE));
	memset(p, 1, 2 * size);
	ASSERT_LE((long)(2 * size / KIB), thp_kib())
		TH_LOG("the memory is not in transparent huge pages");
	ASSERT_EQ(0, spapr_get_info(fd, &info));
	ASSERT_EQ(0, spapr_remove(fd, 0));
	ASSERT_EQ(0, spapr_register(fd, p, 2 * size));
	for (uint32_t shift = 0; 1UL << shift <= size; shift++) {
		const uint64_t page = 1UL << shift;

		if (page <= page_size() || !(info.ddw.pgsizes & page))
			continue;
		ASSERT_EQ(0, spapr_create(fd, shift, page << 8, 1, &start));
		EXPECT_EQ(-EINVAL, spapr_map(fd, start, p, page, MAP_RW))
			TH_LOG("page shift %u", shift);
		EXPECT_EQ(0, spapr_remove(fd, start));
		tried++;
	}
	EXPECT_LT(0, tried);
	EXPECT_EQ(0, spapr_unregister(fd, p, 2 * size));
	memory_put(p, 2 * size);
}

TEST_HARNESS_MAIN

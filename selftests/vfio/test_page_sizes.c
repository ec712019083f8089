// SPDX-License-Identifier: GPL-2.0-only
/* Windows of every page size that a group can offer, over memory in pages of that size. */
#include "fixture.h"

#include <errno.h>
#include <linux/memfd.h>
#include <sys/mman.h>

/* Where a table of several levels is wanted: small enough to be allocated as a single one, too. */
#define MAX_ENTRIES_SHIFT	20
#define MAX_HUGE_SHIFT		34

/* One group, its device, no window; memory whose pages are at least as large as the window's. */
FIXTURE(page)
{
	struct balance balance;
	struct spapr s;
	struct vfio_iommu_spapr_tce_info info;
	int fd;
	struct edu *edu;
	uint64_t page;		/* bytes of a page of the window */
	uint8_t *memory;
	size_t size;		/* several pages of the window, or one where there is only one */
};

FIXTURE_VARIANT(page)
{
	uint32_t shift;
};

FIXTURE_VARIANT_ADD(page, 4k) { .shift = 12 };
FIXTURE_VARIANT_ADD(page, 64k) { .shift = 16 };
FIXTURE_VARIANT_ADD(page, 2m) { .shift = 21 };
FIXTURE_VARIANT_ADD(page, 16m) { .shift = 24 };
FIXTURE_VARIANT_ADD(page, 1g) { .shift = 30 };

/* The least hugetlb pages that the window's can lie in: `size` bytes of them, at least one. */
static uint8_t *get_backing(uint32_t shift, size_t *size)
{
	const size_t wanted = *size;
	uint8_t *p;

	if (1UL << shift <= page_size())
		return memory_get_aligned(wanted, page_size());
	for (uint32_t huge = shift; huge <= MAX_HUGE_SHIFT; huge++) {
		for (size_t try = wanted; try >= 1UL << shift; try /= 2) {
			*size = try > 1UL << huge ? try : 1UL << huge;
			p = memory_get_huge(*size, huge);
			if (p)
				return p;
		}
	}
	return NULL;
}

FIXTURE_SETUP(page)
{
	balance_take(&self->balance);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	self->edu = &self->s.edu[0];
	self->page = 1UL << variant->shift;
	self->size = self->page > page_size() ? 2 * self->page : 8 * page_size();
	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	ASSERT_EQ(0, spapr_get_info(self->fd, &self->info));
	if (!(self->info.ddw.pgsizes & self->page))
		SKIP(return, "the group has no windows of pages of this size");
	self->memory = get_backing(variant->shift, &self->size);
	ASSERT_NE(NULL, self->memory)
		TH_LOG("no hugetlb pages of at least %lu KiB", self->page / KIB);
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_register(self->fd, self->memory, self->size));
	ASSERT_EQ(0, spapr_remove(self->fd, 0));
}

FIXTURE_TEARDOWN(page)
{
	if (self->memory)
		memory_put(self->memory, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

/* Entries of a window whose levels are all in use, within what can be allocated (log2). */
static uint32_t entries_shift(uint32_t levels)
{
	const uint32_t index_bits = (uint32_t)__builtin_ctzl(page_size() / sizeof(uint64_t));
	const uint32_t shift = index_bits * levels;

	return shift < MAX_ENTRIES_SHIFT ? shift : MAX_ENTRIES_SHIFT;
}

/* The device reaches the first and the last bytes of the memory, which is mapped at iova. */
static void expect_device_reaches(struct __test_metadata *_metadata,
				  FIXTURE_DATA(page) *self, uint64_t iova)
{
	const uint64_t last = self->size - EDU_BUFFER_SIZE;

	EXPECT_DEVICE_WRITES(self->edu, iova + last, self->memory + last, iova, self->memory);
	EXPECT_DEVICE_READS(self->edu, iova + last, self->memory + last, iova, self->memory);
}

/*
 * Maps across the middle, where with several levels one leaf ends and another one begins. That is
 * never at 4 GiB: the 64K before it are where PHBs take MSIs.
 */
TEST_F(page, device_reaches_memory_through_any_levels)
{
	const uint32_t most = spapr_possible_levels(&self->info, variant->shift);

	ASSERT_LE(1, most);
	for (uint32_t levels = 1; levels <= most; levels++) {
		const uint64_t size = self->page << entries_shift(levels);
		uint64_t start = 1, iova;

		ASSERT_EQ(0, spapr_create(self->fd, variant->shift, size, levels, &start))
			TH_LOG("%u levels", levels);
		if (!spapr_is_partition())
			ASSERT_EQ(0, start);
		iova = start + size / 2 - self->page;
		ASSERT_EQ(0, spapr_map(self->fd, iova, self->memory, self->size, MAP_RW));
		expect_device_reaches(_metadata, self, iova);
		EXPECT_EQ(-ENXIO, spapr_map(self->fd, start + size, self->memory, self->page,
					    MAP_RW));
		EXPECT_EQ(0, spapr_unmap(self->fd, start, size));
		EXPECT_EQ(0, spapr_unregister(self->fd, self->memory, self->size))
			TH_LOG("%u levels", levels);
		EXPECT_EQ(0, spapr_register(self->fd, self->memory, self->size));
		EXPECT_EQ(0, spapr_remove(self->fd, start));
		EXPECT_EQ((long)(self->size / KIB), balance_locked_kib());
	}
}

/* What GET_INFO offers is not always possible: addresses would have more bits than a TCE table. */
TEST_F(page, d3_more_levels_than_possible_are_refused)
{
	const uint32_t most = spapr_possible_levels(&self->info, variant->shift);

	for (uint32_t levels = most + 1; levels <= self->info.ddw.levels + 1; levels++) {
		EXPECT_EQ(-EINVAL, spapr_create(self->fd, variant->shift, self->page << 8, levels,
						NULL))
			TH_LOG("%u levels", levels);
	}
	/* The memory is all that is charged for. */
	EXPECT_EQ((long)(self->size / KIB), balance_locked_kib());
}

TEST_F(page, every_unit_is_a_page_of_the_window)
{
	const uint64_t half = self->page / 2, size = self->page << 8;
	uint64_t start, second;

	ASSERT_EQ(0, spapr_create(self->fd, variant->shift, size, 1, &start));
	second = start + self->page;
	EXPECT_EQ(0, spapr_map(self->fd, second, self->memory, self->page, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, start, self->memory, half, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, start, self->memory + half, self->page, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, start, self->memory, self->page + half, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, second, half));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, start, self->page + half));
	EXPECT_EQ(0, spapr_unmap(self->fd, second, self->page));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->memory, self->size));
}

/* Both windows of the group, each with a page size of its own. */
TEST_F(page, beside_a_window_of_4k_pages)
{
	uint8_t *other = memory_get(page_size());
	uint64_t start;

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	ASSERT_EQ(0, start);
	ASSERT_EQ(0, spapr_create(self->fd, variant->shift, self->page << 8, 1, &start));
	ASSERT_NE(0, start);
	ASSERT_EQ(0, spapr_register(self->fd, other, page_size()));
	ASSERT_EQ(0, spapr_map(self->fd, MIB, other, TCE_PAGE_4K, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, start, self->memory, self->page, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, start, self->memory, MIB, other);
	EXPECT_DEVICE_WRITES(self->edu, MIB, other, start, self->memory);
	/* Each is unmapped and removed without the other. */
	EXPECT_EQ(0, spapr_unmap(self->fd, start, self->page << 8));
	EXPECT_DEVICE_READS(self->edu, MIB, other, MIB, other);
	ASSERT_EQ(0, spapr_map(self->fd, start, self->memory, self->page, MAP_RW));
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	EXPECT_EQ(0, spapr_unregister(self->fd, other, page_size()));
	pattern_fill(self->memory, EDU_BUFFER_SIZE, 0x51);
	EXPECT_EQ(0, edu_fetch(self->edu, start, EDU_BUFFER_SIZE));
	pattern_fill(self->memory, EDU_BUFFER_SIZE, 0x62);
	EXPECT_EQ(0, edu_store(self->edu, start, EDU_BUFFER_SIZE));
	EXPECT_TRUE(pattern_is(self->memory, EDU_BUFFER_SIZE, 0x51));
	memory_put(other, page_size());
}

/*
 * A window of small pages takes any page of the host, piece by piece. The last three pages of the
 * memory, so that what is mapped is not where it begins.
 */
TEST_F(page, in_a_window_of_4k_pages)
{
	uint8_t *piece = self->memory + self->size - 3 * TCE_PAGE_4K;

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	ASSERT_EQ(0, spapr_map(self->fd, MIB, piece, 3 * TCE_PAGE_4K, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, MIB + 2 * TCE_PAGE_4K, piece + 2 * TCE_PAGE_4K, MIB, piece);
}

/* ---- Memory in pages that are too small ---- */

/* Page sizes of windows that ordinary memory does not have, up to what fits into the machine. */
static bool is_large(const struct vfio_iommu_spapr_tce_info *info, uint32_t shift)
{
	return info->ddw.pgsizes & (1UL << shift) && 1UL << shift > page_size();
}

#define MAX_ORDINARY_SHIFT	26

static struct vfio_iommu_spapr_tce_info get_info(const struct spapr *s)
{
	struct vfio_iommu_spapr_tce_info info;

	if (spapr_get_info(s->container, &info))
		memset(&info, 0, sizeof(info));
	return info;
}

/* Ordinary memory, however well aligned and close together its pages may be. */
TEST_F(container, ordinary_memory_in_a_large_window_is_refused)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	int fd = self->s.container, tried = 0;
	uint64_t start;

	SKIP_WITHOUT_LARGE_PAGES(MAX_ORDINARY_SHIFT);
	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	ASSERT_EQ(0, spapr_remove(fd, 0));
	for (uint32_t shift = 0; shift <= MAX_ORDINARY_SHIFT; shift++) {
		const size_t size = 1UL << shift;
		uint8_t *p;

		if (!is_large(&info, shift))
			continue;
		p = memory_get_aligned(size, size);
		madvise(p, size, MADV_NOHUGEPAGE);
		ASSERT_EQ(0, spapr_create(fd, shift, size << 8, 1, &start));
		ASSERT_EQ(0, spapr_register(fd, p, size));
		EXPECT_EQ(-EINVAL, spapr_map(fd, start, p, size, MAP_RW))
			TH_LOG("page shift %u", shift);
		EXPECT_EQ(0, spapr_unregister(fd, p, size));
		EXPECT_EQ(0, spapr_remove(fd, start));
		memory_put(p, size);
		tried++;
	}
	EXPECT_LT(0, tried);
}

/*
 * Free addresses, where the hash MMU can have hugetlb pages on either side and ordinary ones on the
 * other: all pages of a process within a segment of 256M are of one size.
 */
#define SEGMENT_BORDER	0x80000000UL

/* Address space of the size 1 << shift, aligned to it, full of the same hugetlb page. */
static uint8_t *get_repeated(uint32_t shift, uint32_t huge)
{
	uint8_t *p = (uint8_t *)SEGMENT_BORDER;
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB | huge << MFD_HUGE_SHIFT);

	if (fd < 0 || ftruncate(fd, 1L << huge))
		return NULL;
	for (uint64_t at = 0; at < 1UL << shift; at += 1UL << huge) {
		if (mmap(p + at, 1UL << huge, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) == MAP_FAILED)
			return NULL;
		*(volatile uint8_t *)(p + at) = 1;
	}
	close(fd);
	return p;
}

TEST_F(container, smaller_hugetlb_pages_in_a_large_window_are_refused)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	int fd = self->s.container;
	uint32_t shift, huge = 17;
	uint64_t start;
	uint8_t *p;

	while (huge <= MAX_HUGE_SHIFT && !memory_huge_free(huge))
		huge++;
	for (shift = huge + 1; shift <= MAX_HUGE_SHIFT && !is_large(&info, shift); shift++)
		;
	if (shift > MAX_HUGE_SHIFT)
		SKIP(return, "no window has pages larger than the hugetlb ones");
	p = get_repeated(shift, huge);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, spapr_remove(fd, 0));
	ASSERT_EQ(0, spapr_create(fd, shift, 1UL << (shift + 8), 1, &start));
	ASSERT_EQ(0, spapr_register(fd, p, 1UL << shift));
	EXPECT_EQ(-EINVAL, spapr_map(fd, start, p, 1UL << shift, MAP_RW));
	EXPECT_EQ(0, spapr_unregister(fd, p, 1UL << shift));
	memory_put(p, 1UL << shift);
}

/* A hugetlb page of 1 << huge bytes and as much ordinary memory behind it. */
static uint8_t *get_half_huge(uint32_t huge)
{
	const size_t size = 1UL << huge;
	uint8_t *huge_page = (uint8_t *)(SEGMENT_BORDER - size);
	const int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	if (mmap(huge_page, size, PROT_READ | PROT_WRITE,
		 flags | MAP_HUGETLB | (int)(huge << MAP_HUGE_SHIFT), -1, 0) == MAP_FAILED ||
	    mmap(huge_page + size, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		return NULL;
	huge_page[0] = 1;
	return huge_page;
}

/*
 * The kernel looks for hugetlb pages in a region as a whole: after the first one it believes that
 * ordinary pages are large too. A device would reach what lies behind them in the machine.
 */
TEST_F(container, past_1_iommu_page_larger_than_the_pinned_page)
{
	const struct vfio_iommu_spapr_tce_info info = get_info(&self->s);
	int fd = self->s.container, tried = 0;
	uint32_t huge = 17;
	uint64_t start;
	uint8_t *p;

	SKIP_WITHOUT_LARGE_PAGES(huge);
	SKIP_WITHOUT_DYNAMIC_WINDOWS(fd);
	while (huge <= MAX_ORDINARY_SHIFT && !memory_huge_free(huge))
		huge++;
	if (huge > MAX_ORDINARY_SHIFT)
		SKIP(return, "no hugetlb pages up to 64M");
	p = get_half_huge(huge);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, spapr_remove(fd, 0));
	ASSERT_EQ(0, spapr_register(fd, p, 2UL << huge));
	for (uint32_t shift = 0; shift <= huge; shift++) {
		uint8_t *border = p + (1UL << huge);
		const uint64_t page = 1UL << shift;

		if (!is_large(&info, shift))
			continue;
		ASSERT_EQ(0, spapr_create(fd, shift, page << 8, 1, &start));
		EXPECT_GT(0, spapr_map(fd, start, border, page, MAP_RW))
			TH_LOG("page shift %u", shift);
		/* Nor does a map that begins in the large page get across. */
		EXPECT_GT(0, spapr_map(fd, start, border - page, 2 * page, MAP_RW));
		EXPECT_EQ(0, spapr_map(fd, start, border - page, page, MAP_RW));
		EXPECT_EQ(0, spapr_remove(fd, start));
		tried++;
	}
	EXPECT_LT(0, tried);
	EXPECT_EQ(0, spapr_unregister(fd, p, 2UL << huge));
	memory_put(p, 1UL << huge);
	memory_put(p + (1UL << huge), 1UL << huge);
}

TEST_HARNESS_MAIN

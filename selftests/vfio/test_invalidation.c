// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device has used before a change and sees after it. A PHB keeps the TCEs that a device has
 * used, so it has to be told of each change.
 *
 * The PHBs of the lanes keep them until then. For the control of these tests they ignore what they
 * are told: each test has to fail then, and has bus addresses of its own, so that it fails by what
 * itself has used.
 */
#include "kvm_fixture.h"
#include "v1_fixture.h"

#include <endian.h>

/* Each test has so many pages of a window, and the last of them is its scratch page. */
#define PAGES_OF_TEST	32
#define TESTS		128
#define SCRATCH		(PAGES_OF_TEST - 1)
/* A PHB3 is told of less than these page by page. */
#define MANY		24

#define SECOND_WINDOW	(1UL << 59)

/* The test's n-th page in a window of pages of this size. */
static uint64_t page_of(int n, uint32_t shift)
{
	return ((uint64_t)getpid() % TESTS * PAGES_OF_TEST + (uint64_t)n) << shift;
}

static uint64_t iova(int n)
{
	return page_of(n, TCE_SHIFT_4K);
}

static uint8_t *page(uint8_t *buffer, int n)
{
	return buffer + n * PAGE;
}

/* Skips what a partition has nothing to do with; maps the scratch page. */
#define PREPARE(self) do {								\
	if (spapr_is_partition())							\
		SKIP(return, "what a partition changes is the hypervisor's to tell");	\
	ASSERT_EQ(0, spapr_map((self)->fd, iova(SCRATCH), (self)->scratch, PAGE, MAP_RW)); \
} while (0)

#define EXPECT_REACHES(self, at, p) \
	EXPECT_DEVICE_WRITES((self)->edu, at, p, iova(SCRATCH), (self)->scratch)
#define EXPECT_REACHES_NOT(self, at, p) \
	EXPECT_NO_DEVICE_WRITES((self)->edu, at, p, iova(SCRATCH), (self)->scratch)

/* ---- MAP_DMA and UNMAP_DMA ---- */

TEST_F(window, one_page_of_many_is_unmapped)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, MANY * PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(1), page(self->buffer, 1));
	EXPECT_REACHES(self, iova(2), page(self->buffer, 2));
	ASSERT_EQ(0, spapr_unmap(self->fd, iova(1), PAGE));
	EXPECT_REACHES_NOT(self, iova(1), page(self->buffer, 1));
	EXPECT_REACHES(self, iova(2), page(self->buffer, 2));
}

TEST_F(window, many_pages_are_unmapped)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, MANY * PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), self->buffer);
	EXPECT_REACHES(self, iova(MANY - 1), page(self->buffer, MANY - 1));
	ASSERT_EQ(0, spapr_unmap(self->fd, iova(0), MANY * PAGE));
	EXPECT_REACHES_NOT(self, iova(0), self->buffer);
	EXPECT_REACHES_NOT(self, iova(MANY - 1), page(self->buffer, MANY - 1));
}

TEST_F(window, a_page_is_mapped_over)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), self->buffer);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), page(self->buffer, 1), PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), page(self->buffer, 1));
}

TEST_F(window, a_page_becomes_read_only)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), self->buffer);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, PAGE, MAP_RO));
	EXPECT_REACHES_NOT(self, iova(0), self->buffer);
}

TEST_F(window, a_page_becomes_writable)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, PAGE, MAP_RO));
	EXPECT_DEVICE_READS(self->edu, iova(0), self->buffer, iova(SCRATCH), self->scratch);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), self->buffer);
}

TEST_F(v1, a_page_of_v1_is_unmapped)
{
	ASSERT_EQ(0, spapr_enable(self->fd));
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), self->buffer);
	ASSERT_EQ(0, spapr_unmap(self->fd, iova(0), PAGE));
	EXPECT_REACHES_NOT(self, iova(0), self->buffer);
}

/* All of the page is changed, wherever in it the device was before. */
static void change_large_page(struct __test_metadata *_metadata, FIXTURE_DATA(window) *self,
			      uint32_t shift)
{
	const uint64_t size = 1UL << shift;
	uint8_t *memory = memory_get_huge(2 * size, shift), *end = memory + size;
	uint64_t start, at;

	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, spapr_register(self->fd, memory, 2 * size));
	ASSERT_EQ(0, spapr_create(self->fd, shift, (uint64_t)TESTS * PAGES_OF_TEST << shift, 1, &start));
	at = start + page_of(0, shift);
	ASSERT_EQ(0, spapr_map(self->fd, at, memory, size, MAP_RW));
	EXPECT_REACHES(self, at, memory);
	ASSERT_EQ(0, spapr_map(self->fd, at, end, size, MAP_RW));
	EXPECT_REACHES(self, at + size - PAGE, end + size - PAGE);
	ASSERT_EQ(0, spapr_unmap(self->fd, at, size));
	EXPECT_REACHES_NOT(self, at + size / 2, end + size / 2);
	EXPECT_EQ(0, spapr_remove(self->fd, start));
	EXPECT_EQ(0, spapr_unregister(self->fd, memory, 2 * size));
	memory_put(memory, 2 * size);
}

TEST_F(window, large_pages_are_changed)
{
	static const uint32_t shifts[] = { TCE_SHIFT_2M, TCE_SHIFT_16M };
	struct vfio_iommu_spapr_tce_info info;
	int tried = 0;

	PREPARE(self);
	ASSERT_EQ(0, spapr_get_info(self->fd, &info));
	for (size_t i = 0; i < 2; i++) {
		if (!(info.ddw.pgsizes & (1UL << shifts[i])) || !memory_huge_free(shifts[i]))
			continue;
		change_large_page(_metadata, self, shifts[i]);
		tried++;
	}
	if (!tried)
		SKIP(return, "no large pages");
}

/* ---- Windows ---- */

/* The window is removed, and one of another size comes in its place. */
static void replace_window(struct __test_metadata *_metadata, FIXTURE_DATA(window) *self,
			   uint64_t start)
{
	uint64_t again;

	ASSERT_EQ(0, spapr_map(self->fd, start + iova(0), self->buffer, 2 * PAGE, MAP_RW));
	EXPECT_REACHES(self, start + iova(0), self->buffer);
	EXPECT_REACHES(self, start + iova(1), page(self->buffer, 1));
	ASSERT_EQ(0, spapr_remove(self->fd, start));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, 2 * WINDOW_SIZE, 1, &again));
	ASSERT_EQ(start, again);
	if (!start)
		PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, start + iova(0), page(self->buffer, 2), PAGE, MAP_RW));
	EXPECT_REACHES(self, start + iova(0), page(self->buffer, 2));
	EXPECT_REACHES_NOT(self, start + iova(1), page(self->buffer, 1));
}

TEST_F(window, a_window_is_replaced)
{
	PREPARE(self);
	replace_window(_metadata, self, 0);
}

TEST_F(window, a_second_window_is_replaced)
{
	uint64_t start;

	PREPARE(self);
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 1, &start));
	replace_window(_metadata, self, start);
}

/* ---- Groups and containers ---- */

TEST_F(window, both_groups_lose_a_page)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, PAGE, MAP_RW));
	for (self->edu = self->s.edu; self->edu < self->s.edu + 2; self->edu++)
		EXPECT_REACHES(self, iova(0), self->buffer);
	ASSERT_EQ(0, spapr_unmap(self->fd, iova(0), PAGE));
	for (self->edu = self->s.edu; self->edu < self->s.edu + 2; self->edu++)
		EXPECT_REACHES_NOT(self, iova(0), self->buffer);
}

/* While the group is away, nobody tells its PHB of what is changed. */
TEST_F(window, d4_a_group_comes_back)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, 2 * PAGE, MAP_RW));
	self->edu = &self->s.edu[1];
	EXPECT_REACHES(self, iova(0), self->buffer);
	EXPECT_REACHES(self, iova(1), page(self->buffer, 1));
	ASSERT_EQ(0, spapr_detach(&self->s, 1));
	ASSERT_EQ(0, spapr_unmap(self->fd, iova(1), PAGE));
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), page(self->buffer, 2), PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	EXPECT_REACHES(self, iova(0), page(self->buffer, 2));
	EXPECT_REACHES_NOT(self, iova(1), page(self->buffer, 1));
}

TEST_F(window, the_next_container)
{
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), self->buffer, 2 * PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), self->buffer);
	EXPECT_REACHES(self, iova(1), page(self->buffer, 1));
	spapr_close(&self->s);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	/* In its default window. */
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
	PREPARE(self);
	ASSERT_EQ(0, spapr_map(self->fd, iova(0), page(self->buffer, 2), PAGE, MAP_RW));
	EXPECT_REACHES(self, iova(0), page(self->buffer, 2));
	EXPECT_REACHES_NOT(self, iova(1), page(self->buffer, 1));
}

/* Where the host reaches a page of its memory, without any table. */
static uint64_t host_address(const uint8_t *p)
{
	return SECOND_WINDOW + memory_frame(p) * page_size() + (uintptr_t)p % page_size();
}

TEST_F(window, the_host_gets_the_device_back)
{
	uint8_t *first = self->buffer, *other = self->buffer + page_size();
	struct edu edu;
	uint64_t start;

	PREPARE(self);
	pattern_fill(self->buffer, self->size, 0);
	ASSERT_NE(0, memory_frame(other));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, 4 * GIB, 2, &start));
	ASSERT_EQ(SECOND_WINDOW, start);
	ASSERT_EQ(0, spapr_map(self->fd, host_address(other), first, PAGE, MAP_RW));
	EXPECT_REACHES(self, host_address(other), first);
	spapr_close(&self->s);
	ASSERT_EQ(0, edu_open_without_vfio(&edu, self->s.group[0].device));
	EXPECT_DEVICE_WRITES(&edu, host_address(other), other, host_address(self->scratch),
			     self->scratch);
	edu_close(&edu);
}

/* ---- KVM, which calls nothing but the table's own operations ---- */

TEST_F(guest, a_guest_unmaps_a_page)
{
	PREPARE(self);
	ASSERT_EQ(H_SUCCESS, put(self, iova(0), self->buffer));
	EXPECT_REACHES(self, iova(0), self->buffer);
	ASSERT_EQ(H_SUCCESS, guest_put_tce(&self->guest, LIOBN, iova(0), 0));
	EXPECT_REACHES_NOT(self, iova(0), self->buffer);
}

TEST_F(guest, a_guest_maps_over_a_page)
{
	PREPARE(self);
	ASSERT_EQ(H_SUCCESS, put(self, iova(0), self->buffer));
	EXPECT_REACHES(self, iova(0), self->buffer);
	ASSERT_EQ(H_SUCCESS, put(self, iova(0), page(self->buffer, 1)));
	EXPECT_REACHES(self, iova(0), page(self->buffer, 1));
}

static long put_list(const FIXTURE_DATA(guest) *self, int first)
{
	for (int i = 0; i < MANY; i++)
		guest_tce_list(&self->guest)[i] =
			htobe64(tce(self, page(self->buffer, first + i), TCE_RW));
	return guest_hcall(&self->guest, 0, H_PUT_TCE_INDIRECT, LIOBN, iova(0),
			   guest_tce_list_address(), MANY);
}

TEST_F(guest, a_guest_changes_many_pages)
{
	PREPARE(self);
	ASSERT_EQ(H_SUCCESS, put_list(self, 0));
	EXPECT_REACHES(self, iova(MANY - 1), page(self->buffer, MANY - 1));
	ASSERT_EQ(H_SUCCESS, put_list(self, 1));
	EXPECT_REACHES(self, iova(MANY - 1), page(self->buffer, MANY));
	ASSERT_EQ(H_SUCCESS, stuff(self, iova(0), MANY));
	EXPECT_REACHES_NOT(self, iova(MANY - 1), page(self->buffer, MANY));
}

TEST_HARNESS_MAIN

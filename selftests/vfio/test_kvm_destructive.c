// SPDX-License-Identifier: GPL-2.0-only
/*
 * A window whose pages are larger than those of the memory behind it. The kernel's list of registered
 * memory says that all of a region has large pages if its first page is one; KVM believes it and gives
 * the device what lies beside a page, or stops the kernel because the page is not aligned.
 */
#include "kvm_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_SHIFT	21
#define HUGE		(1UL << HUGE_SHIFT)
#define POOL_PAGES	2048

/* Where a page of ours is in the machine. */
struct place {
	uint8_t *page;
	uint64_t frame;
};

/*
 * A region whose first half is a hugetlb page, and a page of the window's size of ordinary pages
 * behind it.
 */
FIXTURE(mixed)
{
	struct balance balance;
	struct spapr s;
	struct guest guest;
	int fd;
	int table;
	struct edu *edu;
	uint32_t shift;		/* of the window's pages */
	uint8_t *pool;
	uint8_t *memory;	/* the region */
	size_t size;
	uint8_t *ordinary;	/* in it */
	uint64_t start;		/* of the window */
	uint8_t *scratch;	/* in another window, at 0 */
};

/* In the order of the machine's pages. */
static int by_frame(const void *a, const void *b)
{
	const struct place *one = a, *two = b;

	return one->frame < two->frame ? -1 : one->frame > two->frame;
}

/*
 * Finds a page of the pool that a page of the window could begin with, or if `aligned` is false, could
 * not; the page next to it in the machine is ours, too, and is returned with it.
 */
static bool find_neighbours(const uint8_t *pool, uint64_t per_page, bool aligned, uint8_t *found[2])
{
	static struct place place[POOL_PAGES];

	for (int i = 0; i < POOL_PAGES; i++) {
		place[i].page = (uint8_t *)pool + i * page_size();
		place[i].frame = memory_frame(place[i].page);
	}
	qsort(place, POOL_PAGES, sizeof(*place), by_frame);
	for (int i = 0; i + 1 < POOL_PAGES; i++) {
		found[0] = place[i].page;
		found[1] = place[i + 1].page;
		if (place[i].frame && place[i].frame + 1 == place[i + 1].frame &&
		    (place[i].frame % per_page == 0) == aligned)
			return true;
	}
	return false;
}

/* The hugetlb page and room behind it, at an address that fits. */
static uint8_t *get_mixed(size_t ordinary)
{
	uint8_t *p = memory_get_aligned(HUGE + ordinary, HUGE), *huge;

	munmap(p, HUGE);
	huge = mmap(p, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB |
		    MAP_FIXED | (HUGE_SHIFT << MAP_HUGE_SHIFT), -1, 0);
	if (huge == MAP_FAILED)
		return NULL;
	*huge = 1;
	memset(p + HUGE, 1, ordinary);
	return p;
}

FIXTURE_SETUP(mixed)
{
	uint64_t start;

	spapr_init(&self->s);
	guest_init(&self->guest);
	self->table = -1;
	balance_take(&self->balance);
	SKIP_WITHOUT_GUEST();
	if (spapr_has_kernel_tables())
		SKIP(return, "the kernel's tables have no pages larger than the kernel's");
	if (!memory_huge_free(HUGE_SHIFT))
		SKIP(return, "there are no hugetlb pages of 2M");
	self->shift = page_size() > TCE_PAGE_4K ? HUGE_SHIFT : TCE_SHIFT_64K;
	self->size = HUGE + (1UL << self->shift);
	self->pool = memory_get(POOL_PAGES * page_size());
	madvise(self->pool, POOL_PAGES * page_size(), MADV_NOHUGEPAGE);
	memset(self->pool, 1, POOL_PAGES * page_size());
	self->memory = get_mixed(1UL << self->shift);
	ASSERT_NE(NULL, self->memory);
	self->ordinary = self->memory + HUGE;
	self->scratch = memory_get(page_size());
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	self->edu = &self->s.edu[0];
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_create(self->fd, self->shift, GIB, 1, &start));
	self->start = start;
	ASSERT_EQ(0, spapr_register(self->fd, self->scratch, page_size()));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, guest_create(&self->guest));
	ASSERT_EQ(0, guest_start(&self->guest, 1));
	ASSERT_EQ(0, guest_add_memory(&self->guest, GUEST_MEMORY, self->memory, self->size));
	ASSERT_EQ(0, guest_add_group(&self->guest, self->s.group_fd[0]));
	self->table = guest_create_table(&self->guest, LIOBN, self->shift, start, GIB);
	ASSERT_LE(0, self->table);
	ASSERT_EQ(0, guest_set_table(&self->guest, self->s.group_fd[0], self->table));
}

FIXTURE_TEARDOWN(mixed)
{
	if (self->table >= 0)
		close(self->table);
	guest_close(&self->guest);
	if (self->scratch)
		memory_put(self->scratch, page_size());
	if (self->memory)
		memory_put(self->memory, self->size);
	if (self->pool)
		memory_put(self->pool, POOL_PAGES * page_size());
	CHECK_BALANCE(&self->s, &self->balance);
}

/*
 * Puts one page of the pool where the ordinary pages begin, and registers the region. Returns the page
 * next to it in the machine, which is not registered, or NULL.
 */
static uint8_t *place_and_register(const FIXTURE_DATA(mixed) *self, bool aligned)
{
	const uint64_t per_page = (1UL << self->shift) / page_size();
	uint8_t *found[2];

	if (!find_neighbours(self->pool, per_page, aligned, found) ||
	    mremap(found[0], page_size(), page_size(), MREMAP_MAYMOVE | MREMAP_FIXED,
		   self->ordinary) == MAP_FAILED ||
	    spapr_register(self->fd, self->memory, self->size) ||
	    memory_frame(self->ordinary) + 1 != memory_frame(found[1]))
		return NULL;
	return found[1];
}

#define EXPECT_RELEASED(self) do {							\
	EXPECT_EQ(0, spapr_unmap((self)->fd, 0, PAGE));					\
	EXPECT_EQ(0, spapr_unmap((self)->fd, (self)->start, 1UL << (self)->shift));	\
	EXPECT_EQ(0, spapr_unregister((self)->fd, (self)->memory, (self)->size));	\
	EXPECT_EQ(0, spapr_unregister((self)->fd, (self)->scratch, page_size()));	\
} while (0)

/* The first half is what the list says it is. */
TEST_F(mixed, the_large_page_is_mapped)
{
	ASSERT_EQ(0, spapr_register(self->fd, self->memory, self->size));
	ASSERT_EQ(0, spapr_map(self->fd, self->start, self->memory, 1UL << self->shift, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, self->start + page_size(), self->memory + page_size(), 0,
			     self->scratch);
	EXPECT_RELEASED(self);
}

TEST_F(mixed, small_pages_are_not_mapped_by_the_program)
{
	ASSERT_NE(NULL, place_and_register(self, true));
	EXPECT_GT(0, spapr_map(self->fd, self->start, self->ordinary, 1UL << self->shift, MAP_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, self->start, self->ordinary, 0, self->scratch);
	EXPECT_RELEASED(self);
}

TEST_F(mixed, d18_small_page_that_is_aligned)
{
	uint8_t *neighbour = place_and_register(self, true);

	ASSERT_NE(NULL, neighbour);
	EXPECT_EQ(H_TOO_HARD, guest_put_tce(&self->guest, LIOBN, self->start,
					    (GUEST_MEMORY + HUGE) | TCE_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, self->start + page_size(), neighbour, 0, self->scratch);
	EXPECT_RELEASED(self);
}

TEST_F(mixed, d18_small_page_that_is_not_aligned)
{
	ASSERT_NE(NULL, place_and_register(self, false));
	EXPECT_EQ(H_TOO_HARD, guest_put_tce(&self->guest, LIOBN, self->start,
					    (GUEST_MEMORY + HUGE) | TCE_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, self->start, self->ordinary, 0, self->scratch);
	EXPECT_RELEASED(self);
}

TEST_HARNESS_MAIN

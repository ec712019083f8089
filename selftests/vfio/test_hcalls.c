// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many hypervisor calls a partition spends on TCEs, counted by the kernel's own trace event of
 * such calls; and that no more is spent on a huge window than on what is mapped in it.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRACING	"/sys/kernel/debug/tracing"
#define EVENT	TRACING "/events/powerpc/hcall_entry"

/* Source: LoPAR, hypervisor calls; the kernel's asm/hvcall.h. */
#define H_GET_TCE		0x1c
#define H_PUT_TCE		0x20
#define H_PUT_TCE_INDIRECT	0x138
#define H_STUFF_TCE		0x13c
#define ENTRIES_PER_CALL	512

#define PAGES		2048

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

static bool find_in(const char *path, const char *word)
{
	char text[4096] = "";
	ssize_t length;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	return length > 0 && strstr(text, word);
}

static bool start_counting(void)
{
	char filter[160];

	snprintf(filter, sizeof(filter), "opcode==%d||opcode==%d||opcode==%d||opcode==%d",
		 H_GET_TCE, H_PUT_TCE, H_PUT_TCE_INDIRECT, H_STUFF_TCE);
	return write_text(EVENT "/filter", filter) && write_text(TRACING "/trace", " ") &&
	       write_text(EVENT "/enable", "1");
}

/* All calls since then: those in the trace and those that it had no room for. */
static long stop_counting(void)
{
	char path[128], line[128];
	long calls = 0, count;

	write_text(EVENT "/enable", "0");
	for (int cpu = 0; cpu < 64; cpu++) {
		FILE *f;

		snprintf(path, sizeof(path), TRACING "/per_cpu/cpu%d/stats", cpu);
		f = fopen(path, "re");
		if (!f)
			continue;
		while (fgets(line, sizeof(line), f)) {
			if (sscanf(line, "entries: %ld", &count) == 1 ||
			    sscanf(line, "overrun: %ld", &count) == 1)
				calls += count;
		}
		fclose(f);
	}
	write_text(TRACING "/trace", " ");
	return calls;
}

/* What some pages may cost: a call for each 512 and for a rest at both ends, or one for each. */
static long allowed(long pages)
{
	if (find_in("/proc/cmdline", "multitce=off"))
		return pages;
	return pages / ENTRIES_PER_CALL + 2;
}

FIXTURE(hcalls)
{
	struct spapr s;
	struct vfio_iommu_spapr_tce_info info;
	int fd;
	uint8_t *buffer;
	size_t size;
};

FIXTURE_SETUP(hcalls)
{
	self->size = PAGES * TCE_PAGE_4K;
	self->buffer = memory_get(self->size);
	spapr_init(&self->s);
	if (!spapr_is_partition())
		SKIP(return, "this is no partition");
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	ASSERT_EQ(0, spapr_get_info(self->fd, &self->info));
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
	/* Makes the window. */
	ASSERT_EQ(0, spapr_unmap(self->fd, self->info.dma32_window_start, TCE_PAGE_4K));
}

FIXTURE_TEARDOWN(hcalls)
{
	memory_put(self->buffer, self->size);
	/* What tracing allocates stays: there is no balance to check. */
	spapr_close(&self->s);
}

TEST_F(hcalls, one_call_for_512_entries)
{
	const uint64_t start = self->info.dma32_window_start;
	long map, remap, unmap, unmap_nothing;

	ASSERT_TRUE(start_counting());
	ASSERT_EQ(0, spapr_map(self->fd, start, self->buffer, self->size, MAP_RW));
	map = stop_counting();
	ASSERT_TRUE(start_counting());
	ASSERT_EQ(0, spapr_map(self->fd, start, self->buffer, self->size, MAP_RO));
	remap = stop_counting();
	ASSERT_TRUE(start_counting());
	ASSERT_EQ(0, spapr_unmap(self->fd, start, self->size));
	unmap = stop_counting();
	ASSERT_TRUE(start_counting());
	ASSERT_EQ(0, spapr_unmap(self->fd, start, self->info.dma32_window_size));
	unmap_nothing = stop_counting();

	TH_LOG("hypervisor calls for %d pages: map %ld, remap %ld, unmap %ld; to unmap an empty "
	       "window of %u pages: %ld", PAGES, map, remap, unmap,
	       self->info.dma32_window_size >> TCE_SHIFT_4K, unmap_nothing);
	EXPECT_LT(0, map);
	EXPECT_LT(0, unmap);
	EXPECT_GE(allowed(PAGES), map);
	/* Twice: what is replaced is gone before its page is given up. */
	EXPECT_GE(2 * allowed(PAGES) + 2, remap);
	EXPECT_GE(allowed(PAGES), unmap);
	EXPECT_EQ(0, unmap_nothing);
}

TEST_F(hcalls, one_call_for_one_page)
{
	const uint64_t start = self->info.dma32_window_start;

	ASSERT_TRUE(start_counting());
	ASSERT_EQ(0, spapr_map(self->fd, start, self->buffer, TCE_PAGE_4K, MAP_RW));
	EXPECT_EQ(1, stop_counting());
	ASSERT_TRUE(start_counting());
	ASSERT_EQ(0, spapr_unmap(self->fd, start, TCE_PAGE_4K));
	EXPECT_EQ(1, stop_counting());
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Pages of the window at its start, in its middle and at its end. */
static int map_here_and_there(int fd, uint64_t start, uint64_t size, uint8_t *memory, uint64_t page)
{
	int ret = spapr_map(fd, start, memory, page, MAP_RW);

	if (!ret)
		ret = spapr_map(fd, start + size / 2, memory, page, MAP_RW);
	return ret ? ret : spapr_map(fd, start + size - page, memory, page, MAP_RW);
}

TEST_F(hcalls, d11_huge_window_costs_what_is_mapped)
{
	const uint64_t size = 1UL << 44;
	uint64_t start, page;
	uint8_t *memory;
	double began, took;
	int ret, shift;
	long calls;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->fd);
	for (shift = 24; shift < 30; shift++) {
		if (self->info.ddw.pgsizes & 1UL << shift)
			break;
	}
	if (shift == 30)
		SKIP(return, "there are no pages of 16M or more");
	page = 1UL << shift;
	memory = memory_get_huge(GIB, 30);
	ASSERT_NE(NULL, memory)
		TH_LOG("there is no hugetlb page of 1G");
	ASSERT_EQ(0, spapr_register(self->fd, memory, GIB));

	ret = spapr_create(self->fd, shift, size, 1, &start);
	ASSERT_EQ(0, ret)
		TH_LOG("no window of 2^46 bytes: %d", ret);
	ASSERT_EQ(0, map_here_and_there(self->fd, start, size, memory, page));
	/* All of it, mapped or not. */
	ASSERT_TRUE(start_counting());
	began = seconds();
	EXPECT_EQ(0, spapr_unmap(self->fd, start, size));
	EXPECT_EQ(0, spapr_remove(self->fd, start));
	took = seconds() - began;
	calls = stop_counting();
	TH_LOG("removed in %.3f s with %ld hypervisor calls", took, calls);
	EXPECT_GT(1, took);
	EXPECT_GE(16, calls);

	ASSERT_EQ(0, spapr_create(self->fd, shift, size, 1, &start));
	ASSERT_EQ(0, map_here_and_there(self->fd, start, size, memory, page));
	began = seconds();
	spapr_close(&self->s);
	took = seconds() - began;
	TH_LOG("closed in %.3f s", took);
	EXPECT_GT(1, took);
	memory_put(memory, GIB);
}

TEST_HARNESS_MAIN

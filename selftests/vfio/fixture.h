/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixtures that the test programs share. Each test has a container of its own, and is in
 * balance when everything has been closed.
 *
 *  container	one group, v2; the default window is still to be created
 *  window	one group, its device, a window of 4K pages at 0 and registered memory
 */
#ifndef SELFTESTS_VFIO_FIXTURE_H
#define SELFTESTS_VFIO_FIXTURE_H

#include <unistd.h>

#include "balance.h"
#include "memory.h"
#include "slowness.h"
#include "vfio_spapr.h"

/* The harness sets its limit for a test by this call. */
#define alarm(seconds) alarm((unsigned int)(seconds) * slowness())
#include <kselftest_harness.h>

/*
 * Seconds after which the harness ends a test. Its own limit, 30, is for a machine, not for an
 * emulated one that shares its CPUs: some tests go on for 20 by the clock, before they settle.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

/* What some tests need. */
#define SKIP_WITHOUT_DYNAMIC_WINDOWS(container) do {			\
	if (!spapr_has_dynamic_windows(container))			\
		SKIP(return, "the group has no dynamic windows");	\
} while (0)

/* KVM cannot be kept from the kernel's tables, and so these have no pages larger than the kernel's. */
#define SKIP_WITHOUT_LARGE_PAGES(page_shift) do {				\
	if (spapr_has_kernel_tables() && 1UL << (page_shift) > page_size())	\
		SKIP(return, "the kernel's tables have no pages this large");	\
} while (0)

#define SKIP_ON_PARTITIONS() do {						\
	if (spapr_is_partition())						\
		SKIP(return, "groups of a partition cannot share tables");	\
} while (0)

#define SKIP_WITHOUT_EEH(container) do {				\
	if (spapr_has_no_eeh(container))				\
		SKIP(return, "the partition has no EEH");		\
} while (0)

/*
 * The window of the fixtures, and the memory that is registered in them. The TCEs of the window fill
 * pages of 64K, too: the kernel's own tables have whole pages of TCEs, and all of them are usable.
 */
#define WINDOW_SIZE	(32 * MIB)
#define BUFFER_PAGES	32

/* Closes everything; to be called exactly once per test, in the teardown. */
#define CHECK_BALANCE(s, b) do {					\
	const char *complaint;						\
									\
	spapr_close(s);							\
	complaint = balance_check(b);					\
	EXPECT_EQ(NULL, complaint)					\
		TH_LOG("out of balance: %s", complaint);		\
} while (0)

/*
 * Whether the device can reach memory. `scratch` is a page that is mapped for reading and writing
 * at scratch_iova; `page` is the memory that is expected behind iova. The pages are filled with 0x31
 * and 0x92, and the device copies one to the other.
 */
#define EXPECT_DEVICE_COPIES(edu, from, to, page, scratch, is_so, log, at) do {	\
	pattern_fill(scratch, EDU_BUFFER_SIZE, 0x31);				\
	pattern_fill(page, EDU_BUFFER_SIZE, 0x92);				\
	EXPECT_EQ(0, edu_fetch(edu, from, EDU_BUFFER_SIZE));			\
	EXPECT_EQ(0, edu_store(edu, to, EDU_BUFFER_SIZE));			\
	EXPECT_TRUE(is_so)							\
		TH_LOG("the device " log " %s", at);				\
} while (0)

#define EXPECT_DEVICE_WRITES(edu, iova, page, scratch_iova, scratch)		\
	EXPECT_DEVICE_COPIES(edu, scratch_iova, iova, page, scratch,		\
		pattern_is(page, EDU_BUFFER_SIZE, 0x31), "could not write to", #iova)

#define EXPECT_NO_DEVICE_WRITES(edu, iova, page, scratch_iova, scratch)		\
	EXPECT_DEVICE_COPIES(edu, scratch_iova, iova, page, scratch,		\
		pattern_is(page, EDU_BUFFER_SIZE, 0x92), "wrote through", #iova)

#define EXPECT_DEVICE_READS(edu, iova, page, scratch_iova, scratch)		\
	EXPECT_DEVICE_COPIES(edu, iova, scratch_iova, page, scratch,		\
		pattern_is(scratch, EDU_BUFFER_SIZE, 0x92), "could not read from", #iova)

#define EXPECT_NO_DEVICE_READS(edu, iova, page, scratch_iova, scratch)		\
	EXPECT_DEVICE_COPIES(edu, iova, scratch_iova, page, scratch,		\
		!pattern_is(scratch, EDU_BUFFER_SIZE, 0x92), "read through", #iova)

FIXTURE(container)
{
	struct balance balance;
	struct spapr s;
	uint8_t *buffer;
	size_t size;
};

FIXTURE_SETUP(container)
{
	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
}

FIXTURE_TEARDOWN(container)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

FIXTURE(window)
{
	struct balance balance;
	struct spapr s;
	int fd;			/* the container */
	struct edu *edu;
	uint8_t *buffer;
	size_t size;
	/* The last 4K of the buffer, mapped at the last 4K of the window. */
	uint8_t *scratch;
	uint64_t scratch_iova;
};

FIXTURE_SETUP(window)
{
	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	self->scratch = self->buffer + self->size - TCE_PAGE_4K;
	self->scratch_iova = WINDOW_SIZE - TCE_PAGE_4K;
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	self->edu = &self->s.edu[0];
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, TCE_PAGE_4K, MAP_RW));
}

FIXTURE_TEARDOWN(window)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

#endif

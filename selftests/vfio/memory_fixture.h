/* SPDX-License-Identifier: GPL-2.0-only */
/* What is expected of memory that devices get, and of memory that they do not get. */
#ifndef SELFTESTS_VFIO_MEMORY_FIXTURE_H
#define SELFTESTS_VFIO_MEMORY_FIXTURE_H

#include "v1_fixture.h"

#include <errno.h>
#include <string.h>

#define PAGE		TCE_PAGE_4K
/* Where the tests map their memory, and where they map it again. */
#define IOVA		MIB
#define SECOND_IOVA	(2 * MIB)
#define PAGES		4

/* v2: the device reaches both ends, and all that was taken for it is given back. */
static inline void expect_usable(struct __test_metadata *_metadata, FIXTURE_DATA(window) *self,
			  uint8_t *p, size_t size)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();
	const size_t last = size - PAGE;

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	EXPECT_EQ(locked + (long)(size / KIB), balance_locked_kib());
	EXPECT_EQ(pinned + (long)(size / page_size()), balance_pinned_pages());
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, p, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_READS(self->edu, IOVA + last, p + last, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

/* v2: it cannot be registered, and nothing of it stays behind. */
static inline void expect_refused(struct __test_metadata *_metadata, FIXTURE_DATA(window) *self,
			   const uint8_t *p, size_t size)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();

	EXPECT_EQ(-EFAULT, spapr_register(self->fd, p, size));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_EQ(-ENOENT, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

/* v1: the same for memory that is mapped without having been registered. */
static inline void expect_v1_refused(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
			      const uint8_t *p, size_t size, uint32_t flags)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();

	EXPECT_EQ(-EFAULT, spapr_map(self->fd, IOVA, p, size, flags));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

static inline void v1_enable(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self)
{
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
}

static inline void expect_v1_usable(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
			     uint8_t *p, size_t size)
{
	const long pinned = balance_pinned_pages();
	const size_t last = size - PAGE;

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_EQ(pinned + (long)(size / PAGE), balance_pinned_pages());
	EXPECT_DEVICE_WRITES(self->edu, IOVA, p, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_READS(self->edu, IOVA + last, p + last, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

/* The device copies what is behind IOVA to the scratch page. */
#define EXPECT_OLD_PAGE(self, seed) do {							\
	memset((self)->scratch, 0, PAGE);							\
	EXPECT_EQ(0, edu_fetch((self)->edu, IOVA, PAGE));					\
	EXPECT_EQ(0, edu_store((self)->edu, (self)->scratch_iova, PAGE));			\
	EXPECT_TRUE(pattern_is((self)->scratch, PAGE, seed))					\
		TH_LOG("the device lost its page");						\
} while (0)

#endif

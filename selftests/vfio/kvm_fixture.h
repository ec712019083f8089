/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the tests that have a guest of KVM, and what they look for:
 *
 *  guest	one group, its device, a window of 4K pages at 0, registered memory, and a virtual
 *		machine of two CPUs that has the window's table and this memory
 */
#ifndef SELFTESTS_VFIO_KVM_FIXTURE_H
#define SELFTESTS_VFIO_KVM_FIXTURE_H

#include "fixture.h"
#include "kvm_guest.h"

#include <unistd.h>

#define PAGE	TCE_PAGE_4K
#define LIOBN	0x80000000UL

#define SKIP_WITHOUT_GUEST() do {					\
	if (guest_cannot_run())						\
		SKIP(return, "%s", guest_cannot_run());			\
} while (0)

/* Between KVM and a table of the kernel's there is nothing of the driver. */
#define SKIP_ON_KERNEL_TABLES() do {						\
	if (spapr_has_kernel_tables())						\
		SKIP(return, "what KVM does to the kernel's own tables is the kernel's"); \
} while (0)

FIXTURE(guest)
{
	struct balance balance;
	struct spapr s;
	struct guest guest;
	int fd;			/* the container */
	int table;		/* the guest's */
	struct edu *edu;
	uint8_t *buffer;
	size_t size;
	/* The last 4K of the buffer, mapped by the program at the last 4K of the window. */
	uint8_t *scratch;
	uint64_t scratch_iova;
};

FIXTURE_SETUP(guest)
{
	spapr_init(&self->s);
	guest_init(&self->guest);
	self->table = -1;
	self->size = BUFFER_PAGES * page_size();
	balance_take(&self->balance);
	self->buffer = memory_get(self->size);
	self->scratch = self->buffer + self->size - PAGE;
	self->scratch_iova = WINDOW_SIZE - PAGE;
	SKIP_WITHOUT_GUEST();
	ASSERT_EQ(0, guest_create(&self->guest));
	ASSERT_EQ(0, guest_start(&self->guest, GUEST_MAX_VCPUS));
	ASSERT_EQ(0, guest_add_memory(&self->guest, GUEST_MEMORY, self->buffer, self->size));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	self->edu = &self->s.edu[0];
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_register(self->fd, self->buffer, self->size));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, guest_add_group(&self->guest, self->s.group_fd[0]));
	self->table = guest_create_table(&self->guest, LIOBN, TCE_SHIFT_4K, 0, WINDOW_SIZE);
	ASSERT_LE(0, self->table);
	ASSERT_EQ(0, guest_set_table(&self->guest, self->s.group_fd[0], self->table));
}

FIXTURE_TEARDOWN(guest)
{
	if (self->table >= 0)
		close(self->table);
	guest_close(&self->guest);
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

/* The TCE of a page of the buffer. */
static inline uint64_t tce(const FIXTURE_DATA(guest) *self, const uint8_t *p, uint64_t permissions)
{
	return (GUEST_MEMORY + (uint64_t)(p - self->buffer)) | permissions;
}

static inline long put(const FIXTURE_DATA(guest) *self, uint64_t iova, const uint8_t *p)
{
	return guest_put_tce(&self->guest, LIOBN, iova, tce(self, p, TCE_RW));
}

static inline long stuff(const FIXTURE_DATA(guest) *self, uint64_t iova, uint64_t pages)
{
	return guest_stuff_tce(&self->guest, LIOBN, iova, pages);
}

/* All pages of the memory can be released, because none is counted as mapped. */
#define EXPECT_NOTHING_MAPPED(self) do {							\
	EXPECT_EQ(0, spapr_unmap((self)->fd, (self)->scratch_iova, PAGE));			\
	EXPECT_EQ(0, spapr_unregister((self)->fd, (self)->buffer, (self)->size));		\
} while (0)

#define EXPECT_WRITES(self, iova, page) \
	EXPECT_DEVICE_WRITES((self)->edu, iova, page, (self)->scratch_iova, (self)->scratch)
#define EXPECT_NO_WRITES(self, iova, page) \
	EXPECT_NO_DEVICE_WRITES((self)->edu, iova, page, (self)->scratch_iova, (self)->scratch)
#define EXPECT_READS(self, iova, page) \
	EXPECT_DEVICE_READS((self)->edu, iova, page, (self)->scratch_iova, (self)->scratch)
#define EXPECT_NO_READS(self, iova, page) \
	EXPECT_NO_DEVICE_READS((self)->edu, iova, page, (self)->scratch_iova, (self)->scratch)

#endif

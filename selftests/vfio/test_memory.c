// SPDX-License-Identifier: GPL-2.0-only
/* REGISTER_MEMORY and UNREGISTER_MEMORY. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

static long machine_pages(void)
{
	return sysconf(_SC_PHYS_PAGES);
}

TEST_F(container, register_locks_and_pins_every_page_once)
{
	long locked = balance_locked_kib(), pinned = balance_pinned_pages();
	int fd = self->s.container;

	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	EXPECT_EQ(locked + (long)(self->size / KIB), balance_locked_kib());
	EXPECT_EQ(pinned + BUFFER_PAGES, balance_pinned_pages());
	ASSERT_EQ(0, spapr_unregister(fd, self->buffer, self->size));
	EXPECT_EQ(locked, balance_locked_kib());
}

/* Mapping costs no more locked memory than the registration, apart from the window's table. */
TEST_F(window, map_pins_nothing)
{
	long pinned = balance_pinned_pages();

	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, self->size, MAP_RW));
	EXPECT_EQ(pinned, balance_pinned_pages());
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, self->size));
	EXPECT_EQ(pinned, balance_pinned_pages());
}

TEST_F(container, errno_3_register_twice_is_ebusy)
{
	int fd = self->s.container;
	long locked;

	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->size));
	locked = balance_locked_kib();
	EXPECT_EQ(-EBUSY, spapr_register(fd, self->buffer, self->size));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, self->size));
	/* The refused call must not have counted. */
	EXPECT_EQ(-ENOENT, spapr_unregister(fd, self->buffer, self->size));
}

TEST_F(container, errno_3_overlap_is_einval_and_unpins)
{
	const size_t page = page_size();
	int fd = self->s.container;
	long locked, pinned;

	ASSERT_EQ(0, spapr_register(fd, self->buffer + 4 * page, 8 * page));
	locked = balance_locked_kib();
	pinned = balance_pinned_pages();
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer + 3 * page, 2 * page));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer + 11 * page, 2 * page));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer + 5 * page, 2 * page));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer, self->size));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer + 4 * page, 7 * page));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer + 5 * page, 7 * page));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_pages());
	/* The neighbours on both sides do not overlap. */
	EXPECT_EQ(0, spapr_register(fd, self->buffer + 3 * page, page));
	EXPECT_EQ(0, spapr_register(fd, self->buffer + 12 * page, page));
}

TEST_F(container, errno_3_unregister_unknown_is_enoent)
{
	const size_t page = page_size();
	int fd = self->s.container;

	ASSERT_EQ(0, spapr_register(fd, self->buffer + page, 4 * page));
	EXPECT_EQ(-ENOENT, spapr_unregister(fd, self->buffer, page));
	EXPECT_EQ(-ENOENT, spapr_unregister(fd, self->buffer + page, 3 * page));
	EXPECT_EQ(-ENOENT, spapr_unregister(fd, self->buffer + page, 5 * page));
	EXPECT_EQ(-ENOENT, spapr_unregister(fd, self->buffer + 2 * page, 3 * page));
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer + page, 4 * page));
	EXPECT_EQ(-ENOENT, spapr_unregister(fd, self->buffer + page, 4 * page));
}

TEST_F(container, unregister_before_any_register_fails)
{
	int ret = spapr_unregister(self->s.container, self->buffer, self->size);

	/* Nothing is registered, and the container belongs to no process yet: both are true. */
	EXPECT_TRUE(ret == -ENOENT || ret == -EPERM)
		TH_LOG("returned %d", ret);
}

TEST_F(container, register_misaligned)
{
	const size_t page = page_size();
	int fd = self->s.container;

	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer + 1, page));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer + page / 2, page));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer, page + 1));
	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer, page - 1));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, page));
	EXPECT_EQ(-EINVAL, spapr_unregister(fd, self->buffer + 1, page));
	EXPECT_EQ(-EINVAL, spapr_unregister(fd, self->buffer, page + 1));
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, page));
}

TEST_F(container, register_wraps_around)
{
	const size_t page = page_size();
	int fd = self->s.container;

	EXPECT_EQ(-EINVAL, spapr_register(fd, self->buffer, -page));
	EXPECT_EQ(-EINVAL, spapr_register(fd, (void *)-page, 2 * page));
}

TEST_F(container, register_at_address_0)
{
	EXPECT_EQ(-EINVAL, spapr_register(self->s.container, NULL, page_size()));
	EXPECT_EQ(-EINVAL, spapr_register(self->s.container, NULL, self->size));
}

TEST_F(container, register_of_kernel_addresses)
{
	EXPECT_GT(0, spapr_register(self->s.container, (void *)0xc000000000000000, page_size()));
}

TEST_F(container, register_of_nothing_mapped_is_efault)
{
	const size_t page = page_size();
	uint8_t *p = memory_get(page);

	memory_put(p, page);
	EXPECT_EQ(-EFAULT, spapr_register(self->s.container, p, page));
}

TEST_F(container, register_of_read_only_memory_is_efault)
{
	const size_t page = page_size();
	uint8_t *p = memory_get(4 * page);

	/* Registered memory is for devices to write. */
	ASSERT_EQ(0, mprotect(p, 4 * page, PROT_READ));
	EXPECT_EQ(-EFAULT, spapr_register(self->s.container, p, 4 * page));
	memory_put(p, 4 * page);
}

/* The pages in front of the hole are pinned already when the hole is found. */
TEST_F(container, d17_register_partly_unmapped)
{
	const size_t page = page_size();
	uint8_t *p = memory_get(8 * page);
	long locked = balance_locked_kib();

	memory_put(p + 4 * page, page);
	EXPECT_EQ(-EFAULT, spapr_register(self->s.container, p, 8 * page));
	EXPECT_EQ(locked, balance_locked_kib());
	memory_put(p, 4 * page);
	memory_put(p + 5 * page, 3 * page);
}

/* What QEMU does for a guest whose memory is shared with another process. */
TEST_F(container, register_memfd)
{
	int fd = memfd_create("guest-memory", MFD_CLOEXEC);
	const size_t size = 16 * page_size();
	uint8_t *p;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, (off_t)size));
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, spapr_register(self->s.container, p, size));
	EXPECT_EQ(0, spapr_unregister(self->s.container, p, size));
	munmap(p, size);
	close(fd);
}

TEST_F(container, register_large_region)
{
	const size_t size = 256 * MIB;
	int fd = self->s.container;
	uint8_t *p;

	if (machine_pages() * (long)page_size() < (long)GIB)
		SKIP(return, "less than 1 GiB of memory");
	p = memory_get(size);
	EXPECT_EQ(0, spapr_register(fd, p, size));
	EXPECT_EQ((long)(size / KIB), balance_locked_kib());
	EXPECT_EQ(0, spapr_unregister(fd, p, size));
	memory_put(p, size);
}

/*
 * As much as the machine has memory, whereof this takes little: the same file again and again. More
 * than that is refused.
 */
#define REPEATED	(16 * MIB)

TEST_F(container, past_5_very_large_registration)
{
	const size_t machine = (size_t)machine_pages() * page_size();
	const size_t size = machine / 4 * 3 & ~(REPEATED - 1);
	int file = memfd_create("repeated", MFD_CLOEXEC), fd = self->s.container;
	uint8_t *p = memory_get(size);

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, REPEATED));
	for (size_t at = 0; at < size; at += REPEATED)
		ASSERT_EQ(p + at, mmap(p + at, REPEATED, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_FIXED, file, 0));
	close(file);
	ASSERT_EQ(0, spapr_register(fd, p, size));
	EXPECT_EQ((long)(size / KIB), balance_locked_kib());
	ASSERT_EQ(0, spapr_create_at_0(fd, WINDOW_SIZE, 1));
	EXPECT_EQ(0, spapr_map(fd, 0, p + size - MIB, MIB, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(fd, 0, MIB));
	EXPECT_EQ(0, spapr_unregister(fd, p, size));
	memory_put(p, size);
}

TEST_F(container, register_many_regions)
{
	const size_t page = page_size(), size = 600 * page;
	uint8_t *p = memory_get(size);
	int fd = self->s.container;

	for (size_t at = 0; at < size; at += 2 * page)
		ASSERT_EQ(0, spapr_register(fd, p + at, page));
	EXPECT_EQ((long)(size / 2 / KIB), balance_locked_kib());
	/* From the front, from the back, and the rest by closing. */
	for (size_t at = 0; at < size / 4; at += 2 * page) {
		ASSERT_EQ(0, spapr_unregister(fd, p + at, page));
		ASSERT_EQ(0, spapr_unregister(fd, p + size - 2 * page - at, page));
	}
	memory_put(p, size);
}

TEST_F(container, d13_register_size_0)
{
	EXPECT_EQ(-EINVAL, spapr_register(self->s.container, self->buffer, 0));
	EXPECT_EQ(-EINVAL, spapr_register(self->s.container, NULL, 0));
}

/*
 * More than the array of page addresses could be allocated for. The address range is valid user
 * space: nobody can say that the pages do not exist without trying.
 */
TEST_F(container, d16_register_beyond_the_machine_is_quiet)
{
	const size_t size = page_size() << 30;
	long locked = balance_locked_kib();
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		SKIP(return, "no address space for that many pages");
	if (machine_pages() > 1L << 30)
		SKIP(munmap(p, size); return, "the machine has that many pages");
	EXPECT_EQ(-ENOMEM, spapr_register(self->s.container, p, size));
	EXPECT_EQ(locked, balance_locked_kib());
	munmap(p, size);
}

TEST_F(window, d2_errno_3_unregister_mapped_is_ebusy)
{
	const size_t page = page_size();
	uint8_t *p = memory_get(4 * page);

	ASSERT_EQ(0, spapr_register(self->fd, p, 4 * page));
	ASSERT_EQ(0, spapr_map(self->fd, 0, p, 4 * page, MAP_RW));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, p, 4 * page));
	/* It is still registered, and the device still reaches it. */
	EXPECT_EQ(-EBUSY, spapr_register(self->fd, p, 4 * page));
	EXPECT_DEVICE_WRITES(self->edu, 0, p, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, 3 * page));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, p, 4 * page));
	EXPECT_EQ(0, spapr_unmap(self->fd, 3 * page, page));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, 4 * page));
	EXPECT_EQ(-ENOENT, spapr_unregister(self->fd, p, 4 * page));
	memory_put(p, 4 * page);
}

/* The same page behind two bus addresses counts twice. */
TEST_F(window, unregister_after_the_last_of_two_mappings)
{
	const size_t page = page_size();
	uint8_t *p = memory_get(page);

	ASSERT_EQ(0, spapr_register(self->fd, p, page));
	ASSERT_EQ(0, spapr_map(self->fd, 0, p, page, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, MIB, p, page, MAP_RO));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, page));
	EXPECT_EQ(0, spapr_unmap(self->fd, MIB, page));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, page));
	memory_put(p, page);
}

/* Pages stay where the device knows them although the process has unmapped them. */
TEST_F(window, registered_memory_survives_munmap)
{
	const size_t page = page_size();
	uint8_t *p = memory_get(page);

	ASSERT_EQ(0, spapr_register(self->fd, p, page));
	ASSERT_EQ(0, spapr_map(self->fd, 0, p, page, MAP_RW));
	pattern_fill(p, TCE_PAGE_4K, 0x55);
	memory_put(p, page);
	EXPECT_EQ(0, edu_fetch(self->edu, 0, EDU_BUFFER_SIZE));
	EXPECT_EQ(0, edu_store(self->edu, self->scratch_iova, EDU_BUFFER_SIZE));
	EXPECT_TRUE(pattern_is(self->scratch, TCE_PAGE_4K, 0x55));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, page));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, page));
}

TEST_F(window, dpdk_3_register_map_unmap_unregister)
{
	const size_t size = 2 * MIB;
	uint8_t *segment = memory_get(size);

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, spapr_register(self->fd, segment, size));
		ASSERT_EQ(0, spapr_map(self->fd, 4 * MIB, segment, size, MAP_RW));
		EXPECT_EQ(0, spapr_unmap(self->fd, 4 * MIB, size));
		EXPECT_EQ(0, spapr_unregister(self->fd, segment, size));
	}
	memory_put(segment, size);
}

TEST_HARNESS_MAIN

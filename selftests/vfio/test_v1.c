// SPDX-License-Identifier: GPL-2.0-only
/* Containers of the v1 type, VFIO_SPAPR_TCE_IOMMU. */
#include "v1_fixture.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE		TCE_PAGE_4K
/* What the machine needs beside the memory of a test. */
#define SPARE_MEMORY	(128 * MIB)

TEST_F(v1, check_extension)
{
	EXPECT_EQ(1, spapr_check_extension(self->fd, VFIO_SPAPR_TCE_IOMMU));
	EXPECT_EQ(1, spapr_check_extension(self->fd, VFIO_SPAPR_TCE_v2_IOMMU));
}

TEST_F(v1, get_info_tells_of_no_dynamic_windows)
{
	struct vfio_iommu_spapr_tce_info before, after;

	ASSERT_EQ(0, spapr_get_info(self->fd, &before));
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_get_info(self->fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(0, after.flags);
	EXPECT_EQ(0, after.ddw.pgsizes);
	EXPECT_EQ(0, after.ddw.max_dynamic_windows_supported);
	EXPECT_EQ(0, after.ddw.levels);
}

TEST_F(v1, enable_charges_the_window)
{
	long before = balance_locked_kib();

	ASSERT_EQ(0, spapr_enable(self->fd));
	EXPECT_EQ(before + (long)(self->window_size / KIB), balance_locked_kib());
	EXPECT_EQ(-EBUSY, spapr_enable(self->fd));
	EXPECT_EQ(before + (long)(self->window_size / KIB), balance_locked_kib());
	ASSERT_EQ(0, spapr_disable(self->fd));
	EXPECT_EQ(before, balance_locked_kib());
	EXPECT_EQ(0, spapr_disable(self->fd));
	EXPECT_EQ(0, spapr_enable(self->fd));
}

/* One page of 4K of each kernel page: all of these are pinned, which is 16 times what is mapped. */
TEST_F(v1, d23_what_is_pinned_is_charged)
{
	const uint64_t page = page_size();
	const uint64_t charged = self->window_size / page;
	const uint64_t more = 64;
	const uint64_t size = (charged + more) * page;
	long before, pinned;
	uint8_t *memory;

	if (page == PAGE)
		SKIP(return, "the pages of the kernel and the window are of one size");
	if ((uint64_t)balance_unused_kib() * KIB < size + SPARE_MEMORY)
		SKIP(return, "there is not enough memory");
	memory = memory_get(size);
	ASSERT_EQ(0, spapr_enable(self->fd));
	/* Makes the window. */
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
	before = balance_locked_kib();
	pinned = balance_pinned_pages();
	for (uint64_t i = 0; i < charged; i++)
		ASSERT_EQ(0, spapr_map(self->fd, i * PAGE, memory + i * page, PAGE, MAP_RW));
	EXPECT_EQ(before, balance_locked_kib());
	for (uint64_t i = charged; i < charged + more; i++)
		ASSERT_EQ(0, spapr_map(self->fd, i * PAGE, memory + i * page, PAGE, MAP_RW));
	EXPECT_EQ(pinned + (long)(charged + more), balance_pinned_pages());
	EXPECT_EQ(before + (long)(more * page / KIB), balance_locked_kib());
	/* The same pages once more are pinned again, but are no more memory. */
	ASSERT_EQ(0, spapr_map(self->fd, self->window_size / 2, memory, 16 * page, MAP_RW));
	EXPECT_EQ(before + (long)(more * page / KIB), balance_locked_kib());
	ASSERT_EQ(0, spapr_unmap(self->fd, self->window_size / 2, 16 * page));
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, (more / 2) * PAGE));
	EXPECT_EQ(before + (long)(more / 2 * page / KIB), balance_locked_kib());
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, self->window_size));
	EXPECT_EQ(before, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_pages());
	memory_put(memory, size);
}

TEST_F(v1, map_needs_enable)
{
	EXPECT_EQ(-EPERM, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EPERM, spapr_unmap(self->fd, 0, PAGE));
	ASSERT_EQ(0, spapr_enable(self->fd));
	EXPECT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
	ASSERT_EQ(0, spapr_disable(self->fd));
	EXPECT_EQ(-EPERM, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EPERM, spapr_unmap(self->fd, 0, PAGE));
}

TEST_F(v1, another_process_is_refused)
{
	struct vfio_iommu_spapr_tce_info info;
	int status;
	pid_t child;

	ASSERT_EQ(0, spapr_enable(self->fd));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (spapr_enable(self->fd) != -EPERM || spapr_disable(self->fd) != -EPERM ||
		    spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW) != -EPERM ||
		    spapr_unmap(self->fd, 0, PAGE) != -EPERM ||
		    spapr_get_info(self->fd, &info) != -EPERM)
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, spapr_disable(self->fd));
}

TEST_F(v1, calls_of_the_other_version)
{
	struct spapr v2;

	ASSERT_EQ(0, spapr_enable(self->fd));
	EXPECT_EQ(-ENOTTY, spapr_register(self->fd, self->buffer, self->size));
	EXPECT_EQ(-ENOTTY, spapr_unregister(self->fd, self->buffer, self->size));
	EXPECT_EQ(-ENOTTY, spapr_create(self->fd, TCE_SHIFT_4K, MIB, 1, NULL));
	EXPECT_EQ(-ENOTTY, spapr_remove(self->fd, 0));

	ASSERT_EQ(0, spapr_open_group(&v2, 1));
	EXPECT_EQ(-ENOTTY, spapr_enable(v2.container));
	EXPECT_EQ(-ENOTTY, spapr_disable(v2.container));
	spapr_close(&v2);
}

TEST_F(v1, one_group_per_container)
{
	EXPECT_EQ(-EBUSY, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EBUSY, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(v1, device_reads_and_writes_mapped_memory)
{
	uint8_t *page = self->buffer;

	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, MIB, page, 4 * PAGE, MAP_RW));
	EXPECT_DEVICE_READS(self->edu, MIB, page, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_WRITES(self->edu, MIB + 3 * PAGE, page + 3 * PAGE, self->scratch_iova,
			     self->scratch);
	ASSERT_EQ(0, spapr_unmap(self->fd, MIB, 4 * PAGE));
	EXPECT_NO_DEVICE_WRITES(self->edu, MIB, page, self->scratch_iova, self->scratch);
}

TEST_F(v1, read_only_memory)
{
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, mprotect(self->buffer, page_size(), PROT_READ));
	EXPECT_EQ(-EFAULT, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EFAULT, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_WO));
	EXPECT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RO));
	ASSERT_EQ(0, mprotect(self->buffer, page_size(), PROT_READ | PROT_WRITE));
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(v1, mapped_pages_are_pinned)
{
	const long pages = (long)(self->size / page_size());
	long before = balance_pinned_pages();

	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, self->size, MAP_RW));
	EXPECT_EQ(before + pages * (long)(page_size() / PAGE), balance_pinned_pages());
	ASSERT_EQ(0, spapr_unmap(self->fd, 0, self->size));
	EXPECT_EQ(before, balance_pinned_pages());
}

/* QEMU maps over what is mapped when the guest does. */
TEST_F(v1, qemu_8_remap_of_a_live_iova)
{
	long pinned;

	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, 4 * PAGE, MAP_RW));
	pinned = balance_pinned_pages();
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer + 4 * PAGE, 4 * PAGE, MAP_RW));
	EXPECT_EQ(pinned, balance_pinned_pages());
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer + 4 * PAGE, self->scratch_iova,
			     self->scratch);
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

/* QEMU never disables a container. */
TEST_F(v1, qemu_8_close_without_disable)
{
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, self->size, MAP_RW));
}

TEST_F(v1, unmap_of_what_is_not_mapped)
{
	ASSERT_EQ(0, spapr_enable(self->fd));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, PAGE));
	EXPECT_EQ(0, spapr_unmap(self->fd, 0, self->window_size));
}

/* The stock driver gives the charge back and leaves the pages pinned. */
TEST_F(v1, disable_with_live_mappings)
{
	long before = balance_pinned_pages();

	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, self->size, MAP_RW));
	ASSERT_EQ(0, spapr_disable(self->fd));
	EXPECT_EQ(before, balance_pinned_pages());
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	EXPECT_NO_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

/* ---- Defects of the stock driver ---- */

TEST_F(v1, d15_a_map_that_fails_changes_nothing)
{
	const size_t half = self->size / 2;
	long pinned;

	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, half, MAP_RW));
	pinned = balance_pinned_pages();
	/* The second page of what is to be mapped is missing. */
	ASSERT_EQ(0, munmap(self->buffer + half + page_size(), page_size()));
	EXPECT_EQ(-EFAULT, spapr_map(self->fd, 0, self->buffer + half, 2 * page_size(), MAP_RW));
	EXPECT_EQ(pinned, balance_pinned_pages());
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
}

TEST_F(v1, d17_misaligned_iova)
{
	ASSERT_EQ(0, spapr_enable(self->fd));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 512, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_unmap(self->fd, 512, PAGE));
}

/* ---- Cycles ---- */

TEST_F(v1, hundreds_of_enables_and_mappings)
{
	for (int i = 0; i < 300; i++) {
		ASSERT_EQ(0, spapr_enable(self->fd));
		ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, 4 * PAGE, MAP_RW));
		ASSERT_EQ(0, spapr_unmap(self->fd, 0, 4 * PAGE));
		ASSERT_EQ(0, spapr_disable(self->fd));
	}
}

TEST_HARNESS_MAIN

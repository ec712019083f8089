// SPDX-License-Identifier: GPL-2.0-only
/* Containers of the types VFIO_TYPE1_IOMMU and VFIO_TYPE1v2_IOMMU. */
#include "fixture.h"
#include "race.h"
#include "type1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Where the tests map: from the first address that can be mapped on, which not all windows have at 0. */
#define AT(offset)	(first_iova + (offset))
#define IOVA		AT(MIB)
#define SCRATCH_IOVA	AT(8 * MIB)

static uint64_t first_iova;

static unsigned int available(int container)
{
	struct vfio_iommu_type1_info_dma_avail *avail;
	struct type1_info info;

	if (type1_get_info(container, &info))
		return 0;
	avail = type1_capability(&info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	return avail ? avail->avail : 0;
}

/* What was unmapped is put into `unmapped`. */
static int unmap(int container, uint64_t iova, uint64_t size, uint32_t flags, uint64_t *unmapped)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .flags = flags, .iova = iova, .size = size,
	};
	int ret = spapr_ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg);

	*unmapped = arg.size;
	return ret;
}

/* One group, its device, and a page for its other end. */
FIXTURE(type1)
{
	struct balance balance;
	struct spapr s;
	int fd;
	struct edu *edu;
	uint8_t *buffer;
	size_t size, page;
	uint8_t *scratch;
	bool is_open;
};

FIXTURE_VARIANT(type1)
{
	unsigned long type;
};

FIXTURE_VARIANT_ADD(type1, v1)
{
	.type = VFIO_TYPE1_IOMMU,
};

FIXTURE_VARIANT_ADD(type1, v2)
{
	.type = VFIO_TYPE1v2_IOMMU,
};

FIXTURE_SETUP(type1)
{
	spapr_init(&self->s);
	SKIP_WITHOUT_TYPE1();
	type1_set("type1", "1");
	balance_take(&self->balance);
	self->is_open = true;
	self->page = page_size();
	self->size = BUFFER_PAGES * self->page;
	self->buffer = memory_get(self->size);
	self->scratch = self->buffer + self->size - self->page;
	ASSERT_EQ(0, spapr_open_type1(&self->s, 1, variant->type));
	self->fd = self->s.container;
	self->edu = &self->s.edu[0];
	first_iova = type1_first_iova(self->fd);
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_map(self->fd, SCRATCH_IOVA, self->scratch, self->page, MAP_RW));
}

FIXTURE_TEARDOWN(type1)
{
	if (!self->is_open)
		return;
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
	type1_set("dma_entry_limit", "65535");
	type1_set("type1", "0");
}

TEST(off_by_default)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	struct spapr s;

	ASSERT_LE(0, container);
	EXPECT_EQ(0, spapr_check_extension(container, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(0, spapr_check_extension(container, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, spapr_check_extension(container, VFIO_UNMAP_ALL));
	EXPECT_NE(0, spapr_open_type1(&s, 1, VFIO_TYPE1v2_IOMMU));
	EXPECT_NE(0, spapr_open_type1(&s, 1, VFIO_TYPE1_IOMMU));
	close(container);
}

TEST_F(type1, extensions)
{
	EXPECT_EQ(1, spapr_check_extension(self->fd, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(1, spapr_check_extension(self->fd, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, spapr_check_extension(self->fd, VFIO_UNMAP_ALL));
	EXPECT_EQ(0, spapr_check_extension(self->fd, VFIO_UPDATE_VADDR));
	EXPECT_EQ(0, spapr_check_extension(self->fd, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(0, spapr_check_extension(self->fd, VFIO_TYPE1_NESTING_IOMMU));
}

TEST_F(type1, keeps_its_type_when_it_is_switched_off)
{
	type1_set("type1", "0");
	EXPECT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, self->page, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
	EXPECT_EQ(1, spapr_check_extension(self->fd, VFIO_UNMAP_ALL));
}

TEST_F(type1, calls_of_other_types)
{
	EXPECT_EQ(-ENOTTY, spapr_enable(self->fd));
	EXPECT_EQ(-ENOTTY, spapr_disable(self->fd));
	EXPECT_EQ(-ENOTTY, spapr_register(self->fd, self->buffer, self->size));
	EXPECT_EQ(-ENOTTY, spapr_create(self->fd, TCE_SHIFT_4K, MIB, 1, NULL));
	EXPECT_EQ(-ENOTTY, spapr_remove(self->fd, 0));
	EXPECT_EQ(-ENOTTY, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
}

/* ---- GET_INFO ---- */

TEST_F(type1, info_tells_of_pages_and_addresses)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct type1_info info;
	bool has_low = false, has_user = false;

	ASSERT_EQ(0, type1_get_info(self->fd, &info));
	EXPECT_TRUE(info.fixed.flags & VFIO_IOMMU_INFO_PGSIZES);
	EXPECT_EQ(sizeof(info), info.fixed.argsz);
	ranges = type1_capability(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, ranges);
	ASSERT_LT(0, ranges->nr_iovas);
	for (uint32_t i = 0; i < ranges->nr_iovas; i++) {
		const struct vfio_iova_range *range = &ranges->iova_ranges[i];

		EXPECT_LT(range->start, range->end);
		if (i)
			EXPECT_LT(ranges->iova_ranges[i - 1].end, range->start);
		has_low |= range->start <= IOVA && range->end > SCRATCH_IOVA;
		has_user |= range->start <= (uintptr_t)self->buffer &&
			    range->end >= (uintptr_t)self->buffer + self->size - 1;
		/* MSI, and 32-bit MMIO below it. */
		EXPECT_FALSE(range->start <= 4 * GIB - 1 && range->end >= 4 * GIB - 64 * KIB);
	}
	EXPECT_TRUE(has_low);
	if (!spapr_is_partition()) {
		EXPECT_TRUE(has_user);
		EXPECT_EQ(self->page, info.fixed.iova_pgsizes);
		EXPECT_LE(1UL << 47, ranges->iova_ranges[ranges->nr_iovas - 1].end);
	}
}

TEST_F(type1, info_without_room)
{
	struct type1_info info;
	uint32_t needed;

	memset(&info, 0, sizeof(info));
	info.fixed.argsz = offsetof(struct vfio_iommu_type1_info, iova_pgsizes);
	EXPECT_EQ(-EINVAL, spapr_ioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	EXPECT_EQ(-EFAULT, spapr_ioctl(self->fd, VFIO_IOMMU_GET_INFO, NULL));

	/* As much as it was before there were capabilities. */
	info.fixed.argsz = offsetof(struct vfio_iommu_type1_info, iova_pgsizes) + 8;
	info.fixed.cap_offset = 0x1234;
	ASSERT_EQ(0, spapr_ioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	EXPECT_EQ(0x1234, info.fixed.cap_offset);
	EXPECT_NE(0, info.fixed.iova_pgsizes);
	needed = info.fixed.argsz;
	EXPECT_LT(sizeof(info.fixed), needed);

	info.fixed.argsz = needed - 1;
	ASSERT_EQ(0, spapr_ioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	EXPECT_EQ(needed, info.fixed.argsz);
	EXPECT_EQ(0, info.fixed.cap_offset);
	EXPECT_EQ(0, info.capabilities[0]);
	ASSERT_EQ(0, spapr_ioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	EXPECT_EQ(needed, info.fixed.argsz);
	EXPECT_NE(NULL, type1_capability(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE));
}

TEST_F(type1, info_counts_mappings)
{
	EXPECT_EQ(65534, available(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, 2 * self->page, MAP_RW));
	EXPECT_EQ(65533, available(self->fd));
	ASSERT_EQ(0, spapr_unmap(self->fd, IOVA, 2 * self->page));
	EXPECT_EQ(65534, available(self->fd));
}

/* ---- MAP_DMA ---- */

TEST_F(type1, device_reaches_what_is_mapped)
{
	const size_t last = self->size - 2 * self->page;

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, self->size - self->page, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
	EXPECT_DEVICE_READS(self->edu, IOVA + last, self->buffer + last, SCRATCH_IOVA,
			    self->scratch);
	ASSERT_EQ(0, spapr_unmap(self->fd, IOVA, self->size - self->page));
	EXPECT_NO_DEVICE_WRITES(self->edu, IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
	EXPECT_NO_DEVICE_READS(self->edu, IOVA + last, self->buffer + last, SCRATCH_IOVA,
			       self->scratch);
}

TEST_F(type1, device_only_reads_what_it_may_read)
{
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, self->page, MAP_RO));
	EXPECT_DEVICE_READS(self->edu, IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
	EXPECT_NO_DEVICE_WRITES(self->edu, IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
}

/* As DPDK does with --iova-mode=va, and on the far end of what there is. */
TEST_F(type1, user_addresses_are_bus_addresses)
{
	const uint64_t iova = (uintptr_t)self->buffer;

	if (spapr_is_partition())
		SKIP(return, "the windows of a partition have no such addresses");
	ASSERT_EQ(0, spapr_map(self->fd, iova, self->buffer, self->page, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, iova, self->buffer, SCRATCH_IOVA, self->scratch);
	ASSERT_EQ(0, spapr_map(self->fd, (1UL << 47) - self->page, self->buffer + self->page,
			       self->page, MAP_RW));
	EXPECT_DEVICE_READS(self->edu, (1UL << 47) - self->page, self->buffer + self->page,
			    SCRATCH_IOVA, self->scratch);
}

TEST_F(type1, map_refuses_bad_arguments)
{
	const uint64_t page = self->page;
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg) - 1, .flags = MAP_RW, .vaddr = (uintptr_t)self->buffer,
		.iova = IOVA, .size = page,
	};
	uint8_t *p = self->buffer;

	EXPECT_EQ(-EINVAL, spapr_ioctl(self->fd, VFIO_IOMMU_MAP_DMA, &arg));
	EXPECT_EQ(-EFAULT, spapr_ioctl(self->fd, VFIO_IOMMU_MAP_DMA, NULL));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, 0, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, page, 0));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, page, VFIO_DMA_MAP_FLAG_VADDR));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, page, MAP_RW | 1U << 31));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA + 1, p, page, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p + 1, page, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, page + 1, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, page - 1, MAP_RW));
	EXPECT_EQ(-EOVERFLOW, spapr_map(self->fd, -page, p, 2 * page, MAP_RW));
	EXPECT_EQ(-EOVERFLOW, spapr_map(self->fd, IOVA, (void *)-page, 2 * page, MAP_RW));
	EXPECT_EQ(-EOVERFLOW, spapr_map(self->fd, IOVA, p, -page, MAP_RW));
	/* What is there, but not for memory, or not at all. */
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 4 * GIB - page, p, page, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, -page, p, page, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, 1UL << 50, p, page, MAP_RW));
	EXPECT_EQ(65534, available(self->fd));
}

TEST_F(type1, map_refuses_what_is_mapped)
{
	const uint64_t page = self->page;
	uint8_t *p = self->buffer;

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, 4 * page, MAP_RW));
	EXPECT_EQ(-EEXIST, spapr_map(self->fd, IOVA, p, 4 * page, MAP_RW));
	EXPECT_EQ(-EEXIST, spapr_map(self->fd, IOVA + page, p, page, MAP_RW));
	EXPECT_EQ(-EEXIST, spapr_map(self->fd, IOVA - page, p, 2 * page, MAP_RW));
	EXPECT_EQ(-EEXIST, spapr_map(self->fd, IOVA + 3 * page, p, 2 * page, MAP_RW));
	EXPECT_EQ(-EEXIST, spapr_map(self->fd, IOVA - page, p, 8 * page, MAP_RW));
	EXPECT_EQ(0, spapr_map(self->fd, IOVA - page, p, page, MAP_RW));
	EXPECT_EQ(0, spapr_map(self->fd, IOVA + 4 * page, p, page, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, p, SCRATCH_IOVA, self->scratch);
}

/* The end of what is to be mapped cannot be pinned: nothing of it stays. */
TEST_F(type1, map_of_memory_that_is_not_there)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();
	const size_t size = 6 * MIB; /* up to the fixture's page */
	uint8_t *p = memory_get(size);

	ASSERT_EQ(0, munmap(p + size - self->page, self->page));
	EXPECT_EQ(-EFAULT, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
	EXPECT_EQ(65534, available(self->fd));
	EXPECT_NO_DEVICE_WRITES(self->edu, IOVA, p, SCRATCH_IOVA, self->scratch);
	EXPECT_EQ(0, spapr_map(self->fd, IOVA, p, self->page, MAP_RW));
	EXPECT_EQ(-EFAULT, spapr_map(self->fd, AT(4 * MIB), NULL, self->page, MAP_RW));
	memory_put(p, size - self->page);
}

TEST_F(type1, memory_that_is_only_read)
{
	uint8_t *p = mmap(NULL, self->page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-EFAULT, spapr_map(self->fd, IOVA, p, self->page, MAP_RW));
	/* The page of zeroes that all share. */
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, self->page, MAP_RO));
	pattern_fill(self->scratch, EDU_BUFFER_SIZE, 0x31);
	EXPECT_EQ(0, edu_fetch(self->edu, IOVA, EDU_BUFFER_SIZE));
	EXPECT_EQ(0, edu_store(self->edu, SCRATCH_IOVA, EDU_BUFFER_SIZE));
	for (int i = 0; i < EDU_BUFFER_SIZE; i++)
		ASSERT_EQ(0, self->scratch[i]);
	ASSERT_EQ(0, spapr_unmap(self->fd, IOVA, self->page));
	ASSERT_EQ(0, munmap(p, self->page));
}

TEST_F(type1, a_bar_is_no_memory)
{
	EXPECT_EQ(-EFAULT, spapr_map(self->fd, IOVA, (void *)self->edu->bar, self->page, MAP_RW));
}

TEST_F(type1, huge_pages)
{
	const size_t huge = 1UL << TCE_SHIFT_2M;
	uint8_t *p = memory_get_huge(huge, TCE_SHIFT_2M);

	if (!p)
		SKIP(return, "there are no huge pages");
	ASSERT_EQ(0, spapr_map(self->fd, AT(16 * MIB), p, huge, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, AT(16 * MIB) + huge - self->page, p + huge - self->page,
			     SCRATCH_IOVA, self->scratch);
	/* A part of it: a mapping has pages of the kernel's size. */
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p + self->page, self->page, MAP_RW));
	EXPECT_DEVICE_READS(self->edu, IOVA, p + self->page, SCRATCH_IOVA, self->scratch);
	ASSERT_EQ(0, spapr_unmap(self->fd, AT(16 * MIB), huge));
	memory_put(p, huge);
}

TEST_F(type1, mappings_are_charged)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();
	const long pages = 8, kib = pages * (long)(self->page / KIB);

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, pages * self->page, MAP_RW));
	EXPECT_EQ(locked + kib, balance_locked_kib());
	EXPECT_EQ(pinned + pages, balance_pinned_pages());
	/* The same memory once more is charged once more, as by the kernel's own type 1. */
	ASSERT_EQ(0, spapr_map(self->fd, AT(2 * MIB), self->buffer, pages * self->page, MAP_RW));
	EXPECT_EQ(locked + 2 * kib, balance_locked_kib());
	ASSERT_EQ(0, spapr_unmap(self->fd, IOVA, pages * self->page));
	EXPECT_EQ(locked + kib, balance_locked_kib());
	ASSERT_EQ(0, spapr_unmap(self->fd, AT(2 * MIB), pages * self->page));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

/* In a child, which gives its capabilities up. */
TEST_F(type1, limit_of_locked_memory)
{
	const struct rlimit limit = { 4 * self->page, 4 * self->page };
	int status;
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(1))
			_exit(1);
		if (spapr_map(self->fd, IOVA, self->buffer, 5 * self->page, MAP_RW) != -ENOMEM)
			_exit(2);
		if (spapr_map(self->fd, IOVA, self->buffer, 4 * self->page, MAP_RW))
			_exit(3);
		if (spapr_map(self->fd, AT(2 * MIB), self->buffer, self->page, MAP_RW) != -ENOMEM)
			_exit(4);
		if (spapr_unmap(self->fd, IOVA, 4 * self->page))
			_exit(5);
		_exit(spapr_map(self->fd, AT(2 * MIB), self->buffer, self->page, MAP_RW) ? 6 : 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	/* What the child has left behind is everybody's to undo. */
	EXPECT_EQ(-EEXIST, spapr_map(self->fd, AT(2 * MIB), self->buffer, self->page, MAP_RW));
	EXPECT_EQ(0, spapr_unmap(self->fd, AT(2 * MIB), self->page));
}

TEST_F(type1, as_many_mappings_as_there_can_be)
{
	const unsigned int most = 65534; /* and the fixture's */
	const long pinned = balance_pinned_pages();
	const bool is_narrow = spapr_is_partition();
	const uint64_t start = is_narrow ? AT(16 * MIB) : 4 * GIB;
	uint64_t unmapped;

	if (is_narrow && (uint64_t)most * self->page > GIB - 16 * MIB)
		SKIP(return, "the window has no room for as many");
	for (unsigned int i = 0; i < most; i++)
		ASSERT_EQ(0, spapr_map(self->fd, start + i * self->page, self->buffer, self->page,
				       MAP_RO));
	EXPECT_EQ(-ENOSPC, spapr_map(self->fd, IOVA, self->buffer, self->page, MAP_RW));
	EXPECT_EQ(0, available(self->fd));
	EXPECT_EQ(pinned + most, balance_pinned_pages());
	EXPECT_DEVICE_READS(self->edu, start + (most - 1UL) * self->page, self->buffer,
			    SCRATCH_IOVA, self->scratch);
	ASSERT_EQ(0, unmap(self->fd, start, most * self->page, 0, &unmapped));
	EXPECT_EQ(most * self->page, unmapped);
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

TEST_F(type1, the_number_of_mappings_can_be_limited)
{
	struct spapr s;

	if (spapr_discover(s.group, SPAPR_MAX_GROUPS) < 2)
		SKIP(return, "there is one group only");
	type1_set("dma_entry_limit", "2");
	/* The container that is there keeps its own. */
	EXPECT_EQ(65534, available(self->fd));
	spapr_close(&self->s);
	ASSERT_EQ(0, spapr_open_type1(&self->s, 1, variant->type));
	self->fd = self->s.container;
	EXPECT_EQ(2, available(self->fd));
	EXPECT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, self->page, MAP_RW));
	EXPECT_EQ(0, spapr_map(self->fd, AT(2 * MIB), self->buffer, self->page, MAP_RW));
	EXPECT_EQ(-ENOSPC, spapr_map(self->fd, AT(4 * MIB), self->buffer, self->page, MAP_RW));
}

/* ---- UNMAP_DMA ---- */

TEST_F(type1, unmap_refuses_bad_arguments)
{
	const uint64_t page = self->page;
	uint64_t unmapped;

	EXPECT_EQ(-EINVAL, unmap(self->fd, IOVA, 0, 0, &unmapped));
	EXPECT_EQ(-EINVAL, unmap(self->fd, IOVA + 1, page, 0, &unmapped));
	EXPECT_EQ(-EINVAL, unmap(self->fd, IOVA, page + 1, 0, &unmapped));
	EXPECT_EQ(-EOVERFLOW, unmap(self->fd, -page, 2 * page, 0, &unmapped));
	EXPECT_EQ(-EINVAL, unmap(self->fd, IOVA, page, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
				 &unmapped));
	EXPECT_EQ(-EINVAL, unmap(self->fd, IOVA, page, VFIO_DMA_UNMAP_FLAG_VADDR, &unmapped));
	EXPECT_EQ(-EINVAL, unmap(self->fd, IOVA, page, VFIO_DMA_UNMAP_FLAG_ALL, &unmapped));
	EXPECT_EQ(-EINVAL, unmap(self->fd, 0, page, VFIO_DMA_UNMAP_FLAG_ALL, &unmapped));
	EXPECT_EQ(-EFAULT, spapr_ioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, NULL));
	EXPECT_EQ(65534, available(self->fd));
}

TEST_F(type1, unmap_of_nothing)
{
	uint64_t unmapped;

	EXPECT_EQ(0, unmap(self->fd, IOVA, self->page, 0, &unmapped));
	EXPECT_EQ(0, unmapped);
	EXPECT_EQ(0, unmap(self->fd, -self->page, self->page, 0, &unmapped));
	EXPECT_EQ(0, unmapped);
}

TEST_F(type1, unmap_of_many)
{
	const uint64_t page = self->page;
	uint64_t unmapped;

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, page, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA + 2 * page, self->buffer, 2 * page, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA + 4 * page, self->buffer, page, MAP_RW));
	EXPECT_EQ(0, unmap(self->fd, IOVA, 4 * page, 0, &unmapped));
	EXPECT_EQ(3 * page, unmapped);
	EXPECT_EQ(65533, available(self->fd));
	EXPECT_DEVICE_WRITES(self->edu, IOVA + 4 * page, self->buffer, SCRATCH_IOVA, self->scratch);
	EXPECT_EQ(0, unmap(self->fd, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, &unmapped));
	EXPECT_EQ(2 * page, unmapped);
	EXPECT_EQ(65535, available(self->fd));
}

/* v2 refuses; v1 undoes what begins in the range. */
TEST_F(type1, unmap_of_a_part)
{
	const bool is_v2 = variant->type == VFIO_TYPE1v2_IOMMU;
	const uint64_t page = self->page;
	uint64_t unmapped;

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, 4 * page, MAP_RW));
	EXPECT_EQ(is_v2 ? -EINVAL : 0, unmap(self->fd, IOVA + page, page, 0, &unmapped));
	EXPECT_EQ(is_v2 ? page : 0, unmapped);
	EXPECT_EQ(is_v2 ? -EINVAL : 0, unmap(self->fd, IOVA + 2 * page, 2 * page, 0, &unmapped));
	EXPECT_EQ(is_v2 ? 2 * page : 0, unmapped);
	EXPECT_DEVICE_WRITES(self->edu, IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
	EXPECT_EQ(is_v2 ? -EINVAL : 0, unmap(self->fd, IOVA - page, 2 * page, 0, &unmapped));
	EXPECT_EQ(is_v2 ? 2 * page : 4 * page, unmapped);
	EXPECT_EQ(0, unmap(self->fd, IOVA, 4 * page, 0, &unmapped));
	EXPECT_EQ(is_v2 ? 4 * page : 0, unmapped);
	EXPECT_NO_DEVICE_WRITES(self->edu, IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
}

/* ---- Groups and processes ---- */

TEST_F(type1, two_groups)
{
	SKIP_ON_PARTITIONS();
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, self->page, MAP_RW));
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	EXPECT_DEVICE_WRITES(&self->s.edu[1], IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
	ASSERT_EQ(0, spapr_map(self->fd, AT(2 * MIB), self->buffer + self->page, self->page, MAP_RW));
	EXPECT_DEVICE_READS(&self->s.edu[1], AT(2 * MIB), self->buffer + self->page, SCRATCH_IOVA,
			    self->scratch);
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_DEVICE_WRITES(&self->s.edu[1], IOVA, self->buffer, SCRATCH_IOVA, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, self->page));
}

/* Over each other's mappings, of as many pages as it comes; the second group is there at times. */
static void *map_and_unmap(void *arg)
{
	struct racer *r = arg;
	struct race *race = r->race;
	const uint64_t page = page_size();
	int fd = race->s->container;

	while (!atomic_load(&race->stop)) {
		const uint64_t iova = IOVA + race_random(r) % 16 * page;
		const uint64_t size = (1 + race_random(r) % 8) * page;

		EXPECT_ONE_OF(race, spapr_map(fd, iova, race->buffer, size, MAP_RW), 0, -EEXIST);
		EXPECT_ONE_OF(race, spapr_unmap(fd, iova, size), 0, -EINVAL);
	}
	return NULL;
}

static void *attach_and_detach_second(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;

	while (!atomic_load(&race->stop)) {
		EXPECT_ONE_OF(race, spapr_attach(race->s, 1), 0);
		EXPECT_ONE_OF(race, spapr_detach(race->s, 1), 0);
	}
	return NULL;
}

TEST_F(type1, threads)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();
	uint64_t unmapped;
	struct race race;

	balance_pages_slack = 1024;
	race_init(&race, &self->s, self->buffer, self->size);
	if (spapr_is_partition()) {
		RACE(&race, 2, map_and_unmap, map_and_unmap);
	} else {
		RACE(&race, 2, map_and_unmap, map_and_unmap, attach_and_detach_second);
	}
	ASSERT_EQ(0, unmap(self->fd, IOVA, 64 * self->page, 0, &unmapped));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

TEST_F(type1, all_is_given_back_with_the_last_group)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, self->buffer, 8 * self->page, MAP_RW));
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_EQ(locked - (long)(self->page / KIB), balance_locked_kib());
	EXPECT_EQ(pinned - 1, balance_pinned_settled(pinned - 1));
}

/* A mapping has the memory of who makes it, and has it until it is undone. */
TEST_F(type1, memory_of_another_process)
{
	const long pinned = balance_pinned_pages();
	int status;
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		uint8_t *p = memory_get(self->page);

		pattern_fill(p, self->page, 0x77);
		_exit(spapr_map(self->fd, IOVA, p, self->page, MAP_RW) ? 1 : 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(pinned + 1, balance_pinned_pages());
	pattern_fill(self->scratch, EDU_BUFFER_SIZE, 0x31);
	EXPECT_EQ(0, edu_fetch(self->edu, IOVA, EDU_BUFFER_SIZE));
	EXPECT_EQ(0, edu_store(self->edu, SCRATCH_IOVA, EDU_BUFFER_SIZE));
	EXPECT_TRUE(pattern_is(self->scratch, EDU_BUFFER_SIZE, 0x77));
	ASSERT_EQ(0, spapr_unmap(self->fd, IOVA, self->page));
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

TEST_HARNESS_MAIN

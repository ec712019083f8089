// SPDX-License-Identifier: GPL-2.0-only
/* How the ioctls take their arguments, apart from what they do. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

/* No ioctl of VFIO has this number. */
#define VFIO_UNKNOWN	_IO(VFIO_TYPE, VFIO_BASE + 99)

/* Every ioctl of the v2 type that takes a struct. */
static const struct {
	const char *name;
	unsigned long request;
	size_t size;
} calls[] = {
	{ "GET_INFO", VFIO_IOMMU_SPAPR_TCE_GET_INFO,
	  offsetof(struct vfio_iommu_spapr_tce_info, ddw) },
	{ "MAP_DMA", VFIO_IOMMU_MAP_DMA, sizeof(struct vfio_iommu_type1_dma_map) },
	{ "UNMAP_DMA", VFIO_IOMMU_UNMAP_DMA,
	  offsetof(struct vfio_iommu_type1_dma_unmap, size) + sizeof(__u64) },
	{ "REGISTER_MEMORY", VFIO_IOMMU_SPAPR_REGISTER_MEMORY,
	  sizeof(struct vfio_iommu_spapr_register_memory) },
	{ "UNREGISTER_MEMORY", VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY,
	  sizeof(struct vfio_iommu_spapr_register_memory) },
	{ "TCE_CREATE", VFIO_IOMMU_SPAPR_TCE_CREATE,
	  sizeof(struct vfio_iommu_spapr_tce_create) },
	{ "TCE_REMOVE", VFIO_IOMMU_SPAPR_TCE_REMOVE,
	  sizeof(struct vfio_iommu_spapr_tce_remove) },
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* argsz and flags are the first two words of every one of these structs. */
struct header {
	__u32 argsz;
	__u32 flags;
	__u64 rest[8];
};

TEST_F(container, dpdk_1_check_extension)
{
	int fd = self->s.container;

	/* DPDK takes a negative answer for fatal, and asks before it sets the type, too. */
	EXPECT_EQ(0, spapr_check_extension(fd, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(1, spapr_check_extension(fd, VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_EQ(0, spapr_check_extension(fd, 9999));
	EXPECT_EQ(0, spapr_check_extension(fd, 0));

	fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, spapr_check_extension(fd, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(1, spapr_check_extension(fd, VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_EQ(0, spapr_check_extension(fd, 9999));
	close(fd);
}

TEST_F(container, dpdk_1_set_type1_fails_then_v2_works)
{
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	ASSERT_EQ(0, spapr_attach(&self->s, 0));
	EXPECT_GT(0, spapr_set_iommu(self->s.container, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(0, spapr_set_iommu(self->s.container, VFIO_SPAPR_TCE_v2_IOMMU));
}

TEST_F(container, errno_4_argsz_too_small_is_einval)
{
	/* Registered, so that MAP and UNMAP get as far as looking at their argument. */
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	for (size_t i = 0; i < CALLS; i++) {
		struct header arg = { .argsz = calls[i].size - 1 };

		EXPECT_EQ(-EINVAL, spapr_ioctl(self->s.container, calls[i].request, &arg))
			TH_LOG("%s", calls[i].name);
		arg.argsz = 0;
		EXPECT_EQ(-EINVAL, spapr_ioctl(self->s.container, calls[i].request, &arg))
			TH_LOG("%s", calls[i].name);
	}
}

TEST_F(container, errno_4_unknown_flags_are_einval)
{
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	/* The flags of GET_INFO are only written. */
	for (size_t i = 1; i < CALLS; i++) {
		for (int bit = 0; bit < 32; bit++) {
			struct header arg = { .argsz = calls[i].size, .flags = 1U << bit };

			/* With nothing else set these two would fail for another reason. */
			if (calls[i].request == VFIO_IOMMU_MAP_DMA && bit < 2)
				continue;
			EXPECT_EQ(-EINVAL, spapr_ioctl(self->s.container, calls[i].request, &arg))
				TH_LOG("%s, bit %d", calls[i].name, bit);
		}
	}
}

TEST_F(container, bad_pointers)
{
	uint8_t *page = memory_get(2 * page_size());
	/* The last byte of the struct is out of reach. */
	uint8_t *edge;

	memory_put(page + page_size(), page_size());
	memset(page, 0xff, page_size());
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	for (size_t i = 0; i < CALLS; i++) {
		edge = page + page_size() - calls[i].size + 1;
		EXPECT_EQ(-EFAULT, spapr_ioctl(self->s.container, calls[i].request, NULL))
			TH_LOG("%s", calls[i].name);
		EXPECT_EQ(-EFAULT, spapr_ioctl(self->s.container, calls[i].request, edge))
			TH_LOG("%s", calls[i].name);
	}
	memory_put(page, page_size());
}

TEST_F(container, unknown_ioctl)
{
	EXPECT_EQ(-ENOTTY, spapr_ioctl(self->s.container, VFIO_UNKNOWN, NULL));
	EXPECT_EQ(-ENOTTY, spapr_ioctl(self->s.container, 0, NULL));
	/* A number of type 1 that no other call shares. */
	EXPECT_EQ(-ENOTTY, spapr_ioctl(self->s.container, _IO(VFIO_TYPE, VFIO_BASE + 31), NULL));
}

/* The VFIO core answers: the driver would say ENXIO, but a container without groups has none. */
TEST_F(container, errno_1_without_a_group)
{
	struct vfio_iommu_spapr_tce_info info;

	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_EQ(-EINVAL, spapr_get_info(self->s.container, &info));
	EXPECT_EQ(-EINVAL, spapr_create(self->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1, NULL));
	EXPECT_EQ(-EINVAL, spapr_remove(self->s.container, 0));
}

TEST_F(container, errno_4_enable_and_disable_are_not_of_v2)
{
	EXPECT_EQ(-ENOTTY, spapr_ioctl(self->s.container, VFIO_IOMMU_ENABLE, NULL));
	EXPECT_EQ(-ENOTTY, spapr_ioctl(self->s.container, VFIO_IOMMU_DISABLE, NULL));
}

TEST_F(container, get_info)
{
	struct vfio_iommu_spapr_tce_info info;

	SKIP_WITHOUT_DYNAMIC_WINDOWS(self->s.container);
	ASSERT_EQ(0, spapr_get_info(self->s.container, &info));
	EXPECT_EQ(VFIO_IOMMU_SPAPR_INFO_DDW, info.flags);
	EXPECT_EQ(0, info.dma32_window_start);
	EXPECT_LT(0, info.dma32_window_size);
	EXPECT_EQ(0, info.dma32_window_size % TCE_PAGE_4K);
	EXPECT_LE(1, info.ddw.levels);
	EXPECT_EQ(2, info.ddw.max_dynamic_windows_supported);
	EXPECT_EQ(TCE_PAGE_4K, info.ddw.pgsizes & TCE_PAGE_4K);
}

/* A caller that knows only the oldest part of the struct gets no more than that. */
TEST_F(container, get_info_without_ddw)
{
	struct vfio_iommu_spapr_tce_info full, info;

	ASSERT_EQ(0, spapr_get_info(self->s.container, &full));
	memset(&info, 0xee, sizeof(info));
	info.argsz = offsetof(struct vfio_iommu_spapr_tce_info, ddw);
	ASSERT_EQ(0, spapr_ioctl(self->s.container, VFIO_IOMMU_SPAPR_TCE_GET_INFO, &info));
	EXPECT_EQ(full.dma32_window_start, info.dma32_window_start);
	EXPECT_EQ(full.dma32_window_size, info.dma32_window_size);
	for (size_t i = 0; i < sizeof(info.ddw); i++)
		EXPECT_EQ(0xee, ((uint8_t *)&info.ddw)[i]);
}

/* A caller from the future gets the whole struct, and no byte behind it is touched. */
TEST_F(container, get_info_with_more_room)
{
	struct {
		struct vfio_iommu_spapr_tce_info info;
		uint8_t more[64];
	} arg;
	struct vfio_iommu_spapr_tce_info full;

	ASSERT_EQ(0, spapr_get_info(self->s.container, &full));
	memset(&arg, 0xee, sizeof(arg));
	arg.info.argsz = sizeof(arg);
	ASSERT_EQ(0, spapr_ioctl(self->s.container, VFIO_IOMMU_SPAPR_TCE_GET_INFO, &arg));
	EXPECT_EQ(full.ddw.pgsizes, arg.info.ddw.pgsizes);
	EXPECT_EQ(full.ddw.levels, arg.info.ddw.levels);
	for (size_t i = 0; i < sizeof(arg.more); i++)
		EXPECT_EQ(0xee, arg.more[i]);
}

TEST_F(container, get_info_into_read_only_memory)
{
	struct vfio_iommu_spapr_tce_info *info = (void *)memory_get(page_size());

	info->argsz = sizeof(*info);
	ASSERT_EQ(0, mprotect(info, page_size(), PROT_READ));
	EXPECT_EQ(-EFAULT, spapr_ioctl(self->s.container, VFIO_IOMMU_SPAPR_TCE_GET_INFO, info));
	memory_put(info, page_size());
}

/* A larger argsz than today's is from a newer caller and is no error anywhere. */
TEST_F(container, larger_argsz_is_accepted)
{
	struct {
		struct vfio_iommu_spapr_register_memory arg;
		uint8_t more[64];
	} reg = {
		.arg = { .argsz = sizeof(reg), .vaddr = (uintptr_t)self->buffer,
			 .size = self->size },
	};
	struct {
		struct vfio_iommu_spapr_tce_remove arg;
		uint8_t more[64];
	} rem = { .arg = { .argsz = sizeof(rem) } };

	EXPECT_EQ(0, spapr_ioctl(self->s.container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &reg));
	EXPECT_EQ(0, spapr_ioctl(self->s.container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &reg));
	EXPECT_EQ(0, spapr_ioctl(self->s.container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &rem));
}

TEST_HARNESS_MAIN

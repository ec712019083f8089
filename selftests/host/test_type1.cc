// SPDX-License-Identifier: GPL-2.0-only
/* Containers of type 1: what the target cannot be brought to, and which addresses there are. */
#include "host_test.h"

#include <initializer_list>

#include "drivers/vfio/iova_space.h"
#include "drivers/vfio/parameters.h"

namespace {

using tce::Bytes;
using tce::Ioba;
using tce::IovaRange;
using tce::IovaSpace;

constexpr IovaRange range(unsigned long first, unsigned long last)
{
	return { Ioba(first), Ioba(last) };
}

void expect_space(const IovaSpace &space, std::initializer_list<IovaRange> expected)
{
	unsigned long i = 0;

	ASSERT_EQ(space.size(), expected.size());
	for (const IovaRange &one : expected) {
		EXPECT_EQ(space[i].first, one.first);
		EXPECT_EQ(space[i++].last, one.last);
	}
}

TEST(IovaRange, HasItsLastAddress)
{
	fake::Kernel kernel{ [](const std::string &what) { ADD_FAILURE() << what; } };

	EXPECT_EQ(IovaRange::of(Ioba(~0UL), Bytes(1)).value().last, Ioba(~0UL));
	EXPECT_EQ(IovaRange::of(Ioba(~0UL), Bytes(2)).error(), kcxx::Error(kcxx::Errno::Overflow));
	EXPECT_EQ(IovaRange::of(Ioba(0), Bytes(~0UL)).value().size(), Bytes(~0UL));
}

TEST(IovaSpace, HolesAreTakenOut)
{
	fake::Kernel kernel{ [](const std::string &what) { ADD_FAILURE() << what; } };
	IovaSpace space;

	ASSERT_FALSE(space.add(range(0x1000, 0x8fff)).is_error());
	ASSERT_FALSE(space.add(range(0x10000, ~0UL)).is_error());
	/* Nothing of it is there. */
	ASSERT_FALSE(space.exclude(range(0x9000, 0xffff)).is_error());
	expect_space(space, { range(0x1000, 0x8fff), range(0x10000, ~0UL) });
	ASSERT_FALSE(space.exclude(range(0x3000, 0x3fff)).is_error());
	ASSERT_FALSE(space.exclude(range(0x8000, 0x10fff)).is_error());
	ASSERT_FALSE(space.exclude(range(0, 0x1fff)).is_error());
	ASSERT_FALSE(space.exclude(range(~0xfffUL, ~0UL)).is_error());
	expect_space(space,
		     { range(0x2000, 0x2fff), range(0x4000, 0x7fff), range(0x11000, ~0x1000UL) });
	EXPECT_TRUE(space.contains(range(0x4000, 0x7fff)));
	EXPECT_FALSE(space.contains(range(0x3fff, 0x7fff)));
	EXPECT_FALSE(space.contains(range(0x2000, 0x4fff)));
	ASSERT_FALSE(space.exclude(tce::every_iova).is_error());
	EXPECT_EQ(space.size(), 0u);
}

class Type1 : public HostTest {
protected:
	Type1() { tce_type1 = true; }
	~Type1()
	{
		tce_type1 = false;
		tce_dma_entry_limit = 65535;
	}

	void SetUp() override { open(); }

	void open(unsigned long type = VFIO_TYPE1v2_IOMMU)
	{
		ASSERT_EQ(client.open(type), 0);
		ASSERT_EQ(client.attach(group), 0);
	}

	struct Info {
		vfio_iommu_type1_info fixed;
		alignas(8) vfio_iommu_type1_info_dma_avail available;
		/* vfio_iommu_type1_info_cap_iova_range, with room for its ranges. */
		struct alignas(8) {
			vfio_info_cap_header header;
			__u32 nr_iovas;
			__u32 reserved;
		} ranges;
		vfio_iova_range room[16];
	};

	long get_info(Info &info)
	{
		info = {};
		info.fixed.argsz = sizeof(info);
		return client.ioctl(VFIO_IOMMU_GET_INFO, &info);
	}

	void expect_nothing()
	{
		EXPECT_EQ(process.locked_vm, 0u);
		EXPECT_EQ(kernel.all_pins(), 0);
		EXPECT_EQ(mapped_entries(), 0u);
	}
};

TEST_F(Type1, IsRefusedWhenItIsOff)
{
	Client other;

	tce_type1 = false;
	EXPECT_EQ(other.open(VFIO_TYPE1_IOMMU), -EINVAL);
	EXPECT_EQ(other.open(VFIO_TYPE1v2_IOMMU), -EINVAL);
	EXPECT_EQ(tce_container_ioctl(nullptr, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 0);
	/* A container keeps what it was opened with. */
	EXPECT_EQ(tce_container_ioctl(client.handle(), VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL), 1);
	EXPECT_EQ(client.map(0, user, fake::page_size), 0);
}

TEST_F(Type1, NothingIsMappedWithoutAGroup)
{
	Client other;

	ASSERT_EQ(other.open(VFIO_TYPE1v2_IOMMU), 0);
	EXPECT_EQ(other.map(0, user, fake::page_size), -ENXIO);
	EXPECT_EQ(other.unmap(0, fake::page_size), 0);
}

TEST_F(Type1, AKernelThreadHasNoMemoryToMap)
{
	fake::Kernel::set_current(nullptr);
	EXPECT_EQ(client.map(0, user, fake::page_size), -EPERM);
	fake::Kernel::set_current(&process);
}

TEST_F(Type1, TellsOfAllButTheHoles)
{
	Info info;

	client.close();
	group.mmio = { { 0x8000'0000, 0xfffe'ffff }, { 1UL << 40, (1UL << 41) - 1 } };
	open();
	ASSERT_EQ(get_info(info), 0);
	EXPECT_EQ(info.fixed.iova_pgsizes, fake::page_size);
	ASSERT_EQ(info.ranges.nr_iovas, 3u);
	EXPECT_EQ(info.room[0].start, 0u);
	EXPECT_EQ(info.room[0].end, group.data->limits.tce32_size - 1);
	EXPECT_EQ(info.room[1].start, 4 * GiB);
	EXPECT_EQ(info.room[1].end, (1UL << 40) - 1);
	EXPECT_EQ(info.room[2].start, 1UL << 41);
	EXPECT_GE(info.room[2].end, (1UL << 47) - 1);
	EXPECT_EQ(client.map((1UL << 41) - fake::page_size, user, fake::page_size), -EINVAL);
	EXPECT_EQ(client.map(1UL << 41, user, fake::page_size), 0);
}

TEST_F(Type1, AGroupIsRefusedWhoseMmioIsMapped)
{
	iommu_group &second = kernel.add_group();

	ASSERT_EQ(client.map(1UL << 40, user, fake::page_size), 0);
	second.mmio = { { 1UL << 40, (1UL << 41) - 1 } };
	EXPECT_EQ(client.attach(second), -EINVAL);
	ASSERT_EQ(client.unmap(1UL << 40, fake::page_size), 0);
	ASSERT_EQ(client.attach(second), 0);
	EXPECT_EQ(client.map(1UL << 40, user, fake::page_size), -EINVAL);
	EXPECT_EQ(client.map(1UL << 41, user, fake::page_size), 0);
}

class Type1Mmio : public Type1 {
protected:
	Type1Mmio() { second.mmio = { { start, start + GiB - 1 } }; }

	static constexpr unsigned long start = 1UL << 40;
	iommu_group &second = kernel.add_group();
};

TEST_F(Type1Mmio, IsGivenBackWhenItsGroupLeaves)
{
	ASSERT_EQ(client.attach(second), 0);
	ASSERT_EQ(client.map(0, user, fake::page_size), 0);
	EXPECT_EQ(client.map(start, user, fake::page_size), -EINVAL);
	client.detach(second);
	EXPECT_EQ(client.map(start, user, fake::page_size), 0);
}

/* Then the addresses are as they were while it was there. */
TEST_F(Type1Mmio, StaysTakenWithoutMemoryToGiveItBack)
{
	ASSERT_EQ(client.attach(second), 0);
	ASSERT_EQ(client.map(0, user, fake::page_size), 0);
	kernel.failures.fail_always(fake::Point::AllocArray);
	client.detach(second);
	kernel.failures.forget();
	EXPECT_EQ(client.map(start, user, fake::page_size), -EINVAL);
	EXPECT_EQ(client.map(start + GiB, user, fake::page_size), 0);
}

TEST_F(Type1Mmio, IsNotTakenByAGroupThatDoesNotGetIn)
{
	ASSERT_EQ(client.map(0, user, fake::page_size), 0);
	kernel.failures.fail(fake::Point::SetWindow, 1);
	EXPECT_NE(client.attach(second), 0);
	kernel.failures.forget();
	EXPECT_EQ(client.map(start, user, fake::page_size), 0);
}

TEST_F(Type1, HasNoEeh)
{
	EXPECT_EQ(tce_container_ioctl(client.handle(), VFIO_CHECK_EXTENSION, VFIO_EEH), 0);
	EXPECT_EQ(tce_container_ioctl(nullptr, VFIO_CHECK_EXTENSION, VFIO_EEH), 1);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_GET_STATE), -ENOTTY);
}

/* Whichever allocation or charge or pin fails: nothing is left, and the same call succeeds then. */
TEST_F(Type1, AFailedMapLeavesNothing)
{
	const unsigned long iova = 1UL << 46;

	long ret = -ENOMEM;

	for (unsigned long nth = 1; ret; ++nth) {
		kernel.failures.fail_any(nth);
		ret = client.map(iova, user, memory_size);
		kernel.failures.forget();
		if (!ret)
			break;
		EXPECT_EQ(process.locked_vm, 0u);
		EXPECT_EQ(kernel.all_pins(), 0);
		ASSERT_LT(nth, 1000u);
	}
	EXPECT_EQ(process.locked_vm, memory_size / fake::page_size);
	ASSERT_EQ(client.unmap(iova, memory_size), 0);
	expect_nothing();
}

TEST_F(Type1, MemoryThatEndsIsNotMappedAtAll)
{
	EXPECT_EQ(client.map(0, user + fake::page_size, memory_size), -EFAULT);
	expect_nothing();
	EXPECT_EQ(client.map(0, user, memory_size), 0);
	EXPECT_EQ(kernel.all_pins(), static_cast<long>(memory_size / fake::page_size));
}

/* Else who may lock memory would have tables made for what there is not. */
TEST_F(Type1, MemoryThatIsNotThereGetsNoTable)
{
	const unsigned long before = kernel.failures.calls(fake::Point::AllocLevel);

	process.locked_limit = ~0UL;
	EXPECT_EQ(client.map(1UL << 46, user + memory_size, 1UL << 46), -EFAULT);
	EXPECT_EQ(client.map(1UL << 46, user, 1UL << 46), -EFAULT);
	EXPECT_LT(kernel.failures.calls(fake::Point::AllocLevel), before + 40);
	expect_nothing();
}

TEST_F(Type1, AMappingIsChargedToWhoMadeIt)
{
	mm_struct other;

	other.mmap(user, memory_size);
	ASSERT_EQ(client.map(0, user, fake::page_size), 0);
	fake::Kernel::set_current(&other);
	ASSERT_EQ(client.map(MiB, user, 2 * fake::page_size), 0);
	EXPECT_EQ(process.locked_vm, 1u);
	EXPECT_EQ(other.locked_vm, 2u);
	ASSERT_EQ(client.unmap(0, fake::page_size), 0);
	EXPECT_EQ(process.locked_vm, 0u);
	fake::Kernel::set_current(&process);
	client.close();
	EXPECT_EQ(other.locked_vm, 0u);
}

TEST_F(Type1, TheLimitOfMappingsIsOfTheTimeOfTheOpen)
{
	client.close();
	tce_dma_entry_limit = 2;
	open();
	tce_dma_entry_limit = 0;
	EXPECT_EQ(client.map(0, user, fake::page_size), 0);
	EXPECT_EQ(client.map(MiB, user, fake::page_size), 0);
	EXPECT_EQ(client.map(2 * MiB, user, fake::page_size), -ENOSPC);
	EXPECT_EQ(client.map(0, user, fake::page_size), -EEXIST);
	EXPECT_EQ(client.unmap(0, fake::page_size), 0);
	EXPECT_EQ(client.map(2 * MiB, user, fake::page_size), 0);
}

/* What was unmapped is gone, whether the user can be told of it or not. */
TEST_F(Type1, AnAnswerThatCannotBeWritten)
{
	ASSERT_EQ(client.map(0, user, fake::page_size), 0);
	kernel.failures.fail(fake::Point::CopyToUser, 1);
	EXPECT_EQ(client.unmap(0, fake::page_size), -EFAULT);
	kernel.failures.forget();
	expect_nothing();
}

TEST_F(Type1, RefusesWhatIsNoMapping)
{
	const unsigned long page = fake::page_size;

	ASSERT_EQ(client.map(MiB, user, 2 * page), 0);
	EXPECT_EQ(client.map(0, user, 0), -EINVAL);
	EXPECT_EQ(client.map(-page, user, 2 * page), -EOVERFLOW);
	EXPECT_EQ(client.map(0, -page, 2 * page), -EOVERFLOW);
	EXPECT_EQ(client.map(0, user, page, 0), -EINVAL);
	EXPECT_EQ(client.map(0, user, page, read_write | 1U << 5), -EINVAL);
	for (unsigned long odd : { 1UL, page / 2 }) {
		EXPECT_EQ(client.map(odd, user, page), -EINVAL);
		EXPECT_EQ(client.map(0, user + odd, page), -EINVAL);
		EXPECT_EQ(client.map(0, user, page + odd), -EINVAL);
	}
	EXPECT_EQ(client.map(MiB + page, user, 2 * page), -EEXIST);
	EXPECT_EQ(kernel.all_pins(), 2);
}

TEST_F(Type1, RefusesWhatIsNoRangeToUnmap)
{
	const unsigned long page = fake::page_size;
	vfio_iommu_type1_dma_unmap all = {};

	all.argsz = sizeof(all);
	all.flags = VFIO_DMA_UNMAP_FLAG_ALL;
	ASSERT_EQ(client.map(MiB, user, 2 * page), 0);
	EXPECT_EQ(client.unmap(MiB, 0), -EINVAL);
	EXPECT_EQ(client.unmap(-page, 2 * page), -EOVERFLOW);
	EXPECT_EQ(client.unmap(MiB + 1, 2 * page), -EINVAL);
	EXPECT_EQ(client.unmap(MiB, 2 * page + 1), -EINVAL);
	EXPECT_EQ(client.unmap(MiB, page), -EINVAL);
	EXPECT_EQ(client.unmap(MiB + page, page), -EINVAL);
	all.iova = page;
	EXPECT_EQ(client.ioctl(VFIO_IOMMU_UNMAP_DMA, &all), -EINVAL);
	all.iova = 0;
	all.size = page;
	EXPECT_EQ(client.ioctl(VFIO_IOMMU_UNMAP_DMA, &all), -EINVAL);
	EXPECT_EQ(kernel.all_pins(), 2);
	all.size = 0;
	EXPECT_EQ(client.ioctl(VFIO_IOMMU_UNMAP_DMA, &all), 0);
	EXPECT_EQ(all.size, 2 * page);
	expect_nothing();
}

/* In v1 of type 1 a mapping goes with its beginning, and the first without ends the call. */
TEST_F(Type1, AMappingOfV1GoesWithItsBeginning)
{
	const unsigned long page = fake::page_size;

	client.close();
	open(VFIO_TYPE1_IOMMU);
	ASSERT_EQ(client.map(MiB, user, 2 * page), 0);
	ASSERT_EQ(client.map(MiB + 2 * page, user, 2 * page), 0);
	EXPECT_EQ(client.unmap(MiB + page, 3 * page), 0);
	EXPECT_EQ(kernel.all_pins(), 4);
	EXPECT_EQ(client.unmap(MiB, page), 0);
	EXPECT_EQ(kernel.all_pins(), 2);
	EXPECT_EQ(client.unmap(0, 2 * MiB), 0);
	expect_nothing();
}

/* As much of the answer as there is room for, and how much there is. */
TEST_F(Type1, TellsWhatRoomItWants)
{
	constexpr unsigned int least =
		offsetof(vfio_iommu_type1_info, iova_pgsizes) + sizeof(__u64);
	vfio_iommu_type1_info info = {};

	for (unsigned int size = least; size <= sizeof(info); ++size) {
		info = {};
		info.argsz = size;
		ASSERT_EQ(client.ioctl(VFIO_IOMMU_GET_INFO, &info), 0);
		EXPECT_GT(info.argsz, sizeof(info));
		EXPECT_EQ(info.iova_pgsizes, fake::page_size);
		EXPECT_EQ(info.cap_offset, 0u);
	}
	info.argsz = least - 1;
	EXPECT_EQ(client.ioctl(VFIO_IOMMU_GET_INFO, &info), -EINVAL);
}

TEST_F(Type1, TellsNothingWithoutAGroup)
{
	vfio_iommu_type1_info info = {};
	Client other;

	info.argsz = sizeof(info);
	ASSERT_EQ(other.open(VFIO_TYPE1v2_IOMMU), 0);
	EXPECT_EQ(other.ioctl(VFIO_IOMMU_GET_INFO, &info), -ENXIO);
}

class Type1Partition : public Type1 {
protected:
	void SetUp() override
	{
		kernel.hypervisor.is_there = true;
		client.checks_invalidation = false;
		group.data->limits.tables_in_memory = false;
		tce_module_init(uses_kernel_tables());
	}

	void borrow()
	{
		group.data->limits.max_windows = ~0U;
		group.data->limits.max_levels = 0;
		group.data->firmware_window = { 0x8000'0001, 0, 64 * MiB };
	}
};

TEST_F(Type1Partition, HasTheFirmwaresWindow)
{
	Info info;

	borrow();
	open();
	ASSERT_EQ(get_info(info), 0);
	EXPECT_EQ(info.fixed.iova_pgsizes, page_4k);
	ASSERT_EQ(info.ranges.nr_iovas, 1u);
	EXPECT_EQ(info.room[0].start, 0u);
	EXPECT_EQ(info.room[0].end, 64 * MiB - 1);
	EXPECT_EQ(client.map(64 * MiB, user, fake::page_size), -EINVAL);
	EXPECT_EQ(client.map(64 * MiB - page_4k, user, page_4k), 0);
	EXPECT_EQ(process.locked_vm, 1u);
}

/* The mapping is undone, and its memory stays pinned, for devices may go on using it. */
TEST_F(Type1Partition, AHypervisorThatRefusesToUnmap)
{
	borrow();
	open();
	ASSERT_EQ(client.map(0, user, 2 * page_4k), 0);
	kernel.failures.fail_always(fake::Point::PutTce);
	kernel.failures.fail_always(fake::Point::StuffTce);
	EXPECT_EQ(client.unmap(0, 2 * page_4k), -EIO);
	EXPECT_EQ(process.locked_vm, 0u);
	EXPECT_EQ(kernel.all_pins(), 2);
	kernel.failures.forget();
	kernel.expect_lost_counts();
	for (unsigned long i = 0; i < 2; ++i)
		kernel.unpin(process.physical(user + i * page_4k) & ~(fake::page_size - 1));
}

} /* namespace */

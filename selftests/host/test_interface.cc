// SPDX-License-Identifier: GPL-2.0-only
/* What the VFIO core calls, and how the arguments of all ioctls are checked. */
#include <set>
#include <vector>

#include "host_test.h"

namespace {

class Interface : public HostTest {};

TEST_F(Interface, SupportsTheTwoSpaprTypesAndEeh)
{
	/* The core asks before there is a container, too. */
	for (void *handle : { static_cast<void *>(nullptr), client.handle() }) {
		for (unsigned long type = 0; type < 20; ++type) {
			EXPECT_EQ(tce_container_ioctl(handle, VFIO_CHECK_EXTENSION, type),
				  type == VFIO_SPAPR_TCE_IOMMU || type == VFIO_SPAPR_TCE_v2_IOMMU ||
					  type == VFIO_EEH);
		}
	}
}

TEST_F(Interface, OpensNoOtherType)
{
	void *handle;

	for (unsigned long type : { 0, VFIO_TYPE1_IOMMU, VFIO_NOIOMMU_IOMMU, 99 })
		EXPECT_EQ(tce_container_open(type, &handle), -EINVAL);
}

TEST_F(Interface, OpenReportsThatThereIsNoMemory)
{
	Client other;

	kernel.failures.fail(fake::Point::Alloc);
	EXPECT_EQ(other.open(), -ENOMEM);
}

/* The slot of a number is that of the next container; the number is not. */
TEST_F(Interface, NumberIsNotUsedAgain)
{
	std::set<void *> numbers;

	for (int i = 0; i < 1000; ++i) {
		void *handle;

		ASSERT_EQ(tce_container_open(VFIO_SPAPR_TCE_v2_IOMMU, &handle), 0);
		EXPECT_TRUE(numbers.insert(handle).second);
		for (void *old : numbers) {
			bool is_found = tce_container_ioctl(old, VFIO_IOMMU_ENABLE, 0) != -ENODEV;

			ASSERT_EQ(is_found, old == handle);
		}
		tce_container_release(handle);
	}
}

TEST_F(Interface, ManyContainersAtOnce)
{
	std::vector<void *> handles(65535);

	for (void *&handle : handles)
		ASSERT_EQ(tce_container_open(VFIO_SPAPR_TCE_v2_IOMMU, &handle), 0);

	void *one_too_many;

	EXPECT_EQ(tce_container_open(VFIO_SPAPR_TCE_v2_IOMMU, &one_too_many), -ENOMEM);
	for (void *handle : handles)
		tce_container_release(handle);
	EXPECT_EQ(tce_container_open(VFIO_SPAPR_TCE_v2_IOMMU, &one_too_many), 0);
	tce_container_release(one_too_many);
}

TEST_F(Interface, ClosesWithoutAnythingDone)
{
	Client other;

	EXPECT_EQ(other.open(), 0);
}

TEST_F(Interface, RefusesOtherCommands)
{
	int argument = 0;

	for (unsigned int command : { VFIO_IOMMU_ENABLE, VFIO_IOMMU_DISABLE, VFIO_GET_API_VERSION,
				      VFIO_SET_IOMMU, _IO(VFIO_TYPE, VFIO_BASE + 50) })
		EXPECT_EQ(client.ioctl(command, &argument), -ENOTTY);
}

TEST_F(Interface, HandleIsOfNoUseAfterTheRelease)
{
	Client other;
	vfio_iommu_spapr_tce_info info = {};
	unsigned long argument = reinterpret_cast<unsigned long>(&info);

	info.argsz = sizeof(info);
	ASSERT_EQ(other.open(), 0);
	void *handle = other.handle();
	other.close();

	EXPECT_EQ(tce_container_ioctl(handle, VFIO_IOMMU_SPAPR_TCE_GET_INFO, argument), -ENODEV);
	EXPECT_EQ(tce_container_attach_group(handle, &group), -ENODEV);
	tce_container_detach_group(handle, &group);
	tce_container_release(handle);
	EXPECT_EQ(tce_container_ioctl(0, VFIO_IOMMU_SPAPR_TCE_GET_INFO, argument), -ENODEV);
}

TEST_F(Interface, GetInfoTellsTheGroupsProperties)
{
	vfio_iommu_spapr_tce_info info = {};

	ASSERT_EQ(client.get_info(info), 0);
	EXPECT_EQ(info.flags, unsigned(VFIO_IOMMU_SPAPR_INFO_DDW));
	EXPECT_EQ(info.dma32_window_start, 0u);
	EXPECT_EQ(info.dma32_window_size, 64 * MiB);
	/* The kernel's own tables have no pages that are larger than the kernel's. */
	unsigned long usable = uses_kernel_tables() ? 2 * fake::page_size - 1 : ~0UL;

	EXPECT_EQ(info.ddw.pgsizes, group.data->limits.page_sizes & usable);
	EXPECT_EQ(info.ddw.max_dynamic_windows_supported, 2u);
	EXPECT_EQ(info.ddw.levels, 5u);
	EXPECT_EQ(info.argsz, sizeof(info));
}

TEST_F(Interface, GetInfoWritesNoMoreThanThereIsRoom)
{
	vfio_iommu_spapr_tce_info info = {};

	info.ddw.pgsizes = 0x1234;
	ASSERT_EQ(client.get_info(info, offsetof(vfio_iommu_spapr_tce_info, ddw)), 0);
	EXPECT_EQ(info.dma32_window_size, 64 * MiB);
	EXPECT_EQ(info.ddw.pgsizes, 0x1234u);
}

TEST_F(Interface, GetInfoReportsUnwritableMemory)
{
	vfio_iommu_spapr_tce_info info = {};

	kernel.protect(&info.flags, true);
	EXPECT_EQ(client.get_info(info), -EFAULT);
}

/* D12: the stock driver reads this without the lock. */
TEST_F(Interface, D12GetInfoHoldsTheLock)
{
	vfio_iommu_spapr_tce_info info = {};
	unsigned int held = 0;

	kernel.at_next(fake::Hook::BeforeCopyToUser, [&] { held = fake::held_mutexes(); });
	ASSERT_EQ(client.get_info(info), 0);
	EXPECT_EQ(held, 1u);
}

/* Without a group there is nothing to tell and nothing to create. */
TEST_F(Interface, NeedsAGroup)
{
	Client other;
	vfio_iommu_spapr_tce_info info = {};

	ASSERT_EQ(other.open(), 0);
	EXPECT_EQ(other.get_info(info), -ENXIO);
	EXPECT_EQ(other.create(12, MiB), -ENXIO);
	EXPECT_EQ(other.remove(0), -ENXIO);
}

TEST_F(Interface, MappingNeedsRegisteredMemory)
{
	EXPECT_EQ(client.map(0, user, page_4k), -EPERM);
	EXPECT_EQ(client.unmap(0, page_4k), -EPERM);
	EXPECT_EQ(client.unregister_memory(user, memory_size), -EPERM);
	EXPECT_EQ(table(), nullptr);
}

TEST_F(Interface, BelongsToOneProcess)
{
	mm_struct stranger;
	vfio_iommu_spapr_tce_info info = {};

	stranger.mmap(user, memory_size);
	register_all();
	fake::Kernel::set_current(&stranger);
	EXPECT_EQ(client.get_info(info), -EPERM);
	EXPECT_EQ(client.register_memory(user, memory_size), -EPERM);
	EXPECT_EQ(client.unregister_memory(user, memory_size), -EPERM);
	EXPECT_EQ(client.map(0, user, page_4k), -EPERM);
	EXPECT_EQ(client.unmap(0, page_4k), -EPERM);
	EXPECT_EQ(client.create(12, MiB), -EPERM);
	EXPECT_EQ(client.remove(0), -EPERM);
	EXPECT_EQ(stranger.locked_vm, 0u);

	/* The last holder of the fd may be another process. */
	client.close();
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_F(Interface, AKernelThreadOwnsNothing)
{
	fake::Kernel::set_current(nullptr);
	EXPECT_EQ(client.register_memory(user, memory_size), -EPERM);
	EXPECT_EQ(client.create(12, MiB), -EPERM);
}

struct Command {
	const char *name;
	unsigned int number;
	unsigned long size;
	bool has_output_flags;
};

void PrintTo(const Command &command, std::ostream *out)
{
	*out << command.name;
}

class Arguments : public HostTest, public testing::WithParamInterface<Command> {
protected:
	/* argsz, flags and more zeroes than any command wants. */
	unsigned int argument[16] = {};
};

TEST_P(Arguments, ArgszCoversTheStructure)
{
	for (unsigned long size = 0; size < GetParam().size; ++size) {
		argument[0] = static_cast<unsigned int>(size);
		EXPECT_EQ(client.ioctl(GetParam().number, argument), -EINVAL) << size;
	}
}

TEST_P(Arguments, UnknownFlagsAreRefused)
{
	argument[0] = sizeof(argument);
	for (unsigned int bit = 4; bit; bit <<= 1) {
		argument[1] = bit;
		EXPECT_EQ(client.ioctl(GetParam().number, argument),
			  GetParam().has_output_flags ? 0 : -EINVAL);
		argument[1] = 0;
	}
}

TEST_P(Arguments, UnreadableMemoryIsReported)
{
	EXPECT_EQ(client.ioctl(GetParam().number, nullptr), -EFAULT);
	argument[0] = sizeof(argument);
	kernel.protect(reinterpret_cast<char *>(argument) + GetParam().size - 1, false);
	EXPECT_EQ(client.ioctl(GetParam().number, argument), -EFAULT);
}

TEST_P(Arguments, NoMoreIsReadThanTheStructure)
{
	argument[0] = sizeof(argument);
	kernel.protect(reinterpret_cast<char *>(argument) + GetParam().size, false);
	long ret = client.ioctl(GetParam().number, argument);

	if (GetParam().has_output_flags)
		EXPECT_EQ(ret, -EFAULT); /* the answer is longer, as argsz says */
	else
		EXPECT_NE(ret, -EFAULT);
}

INSTANTIATE_TEST_SUITE_P(
	Commands, Arguments,
	testing::Values(Command{ "get_info", VFIO_IOMMU_SPAPR_TCE_GET_INFO, 16, true },
			Command{ "register", VFIO_IOMMU_SPAPR_REGISTER_MEMORY, 24, false },
			Command{ "unregister", VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, 24, false },
			Command{ "map", VFIO_IOMMU_MAP_DMA, 32, false },
			Command{ "unmap", VFIO_IOMMU_UNMAP_DMA, 24, false },
			Command{ "create", VFIO_IOMMU_SPAPR_TCE_CREATE, 40, false },
			Command{ "remove", VFIO_IOMMU_SPAPR_TCE_REMOVE, 16, false },
			Command{ "eeh", VFIO_EEH_PE_OP, 12, false }),
	[](const auto &info) { return info.param.name; });

} /* namespace */

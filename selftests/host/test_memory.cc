// SPDX-License-Identifier: GPL-2.0-only
/* REGISTER_MEMORY and UNREGISTER_MEMORY. */
#include <thread>

#include "host_test.h"

namespace {

using fake::page_size;

constexpr unsigned long block = 16 * page_size;

class Memory : public HostTest {};

TEST_F(Memory, RegisteredMemoryIsChargedUntilItIsUnregistered)
{
	ASSERT_EQ(client.register_memory(user, block), 0);
	EXPECT_EQ(process.locked_vm, 16u);
	EXPECT_TRUE(kernel.is_pinned(process.physical(user)));
	ASSERT_EQ(client.unregister_memory(user, block), 0);
	EXPECT_EQ(process.locked_vm, 0u);
	EXPECT_FALSE(kernel.is_pinned(process.physical(user)));
}

TEST_F(Memory, RegisteringTwiceIsBusy)
{
	ASSERT_EQ(client.register_memory(user, block), 0);
	EXPECT_EQ(client.register_memory(user, block), -EBUSY);
	EXPECT_EQ(process.locked_vm, 16u);
	EXPECT_EQ(client.unregister_memory(user, block), 0);
	EXPECT_EQ(client.unregister_memory(user, block), -ENOENT);
}

TEST_F(Memory, RefusesOverlaps)
{
	ASSERT_EQ(client.register_memory(user + block, 2 * block), 0);

	EXPECT_EQ(client.register_memory(user + block, block), -EINVAL);
	EXPECT_EQ(client.register_memory(user + 2 * block, block), -EINVAL);
	EXPECT_EQ(client.register_memory(user + block, 3 * block), -EINVAL);
	EXPECT_EQ(client.register_memory(user, 2 * block), -EINVAL);
	EXPECT_EQ(client.register_memory(user, 4 * block), -EINVAL);
	EXPECT_EQ(client.register_memory(user + 2 * block, 2 * block), -EINVAL);
	EXPECT_EQ(client.register_memory(user, block), 0);
	EXPECT_EQ(client.register_memory(user + 3 * block, block), 0);
}

TEST_F(Memory, RefusesOverlapsWithAnotherContainer)
{
	Client other;

	ASSERT_EQ(other.open(), 0);
	ASSERT_EQ(other.register_memory(user, 2 * block), 0);
	EXPECT_EQ(client.register_memory(user + block, 2 * block), -EINVAL);
	EXPECT_EQ(client.register_memory(user, 2 * block), 0);
	EXPECT_EQ(process.locked_vm, 32u);
}

TEST_F(Memory, RefusesWhatIsNotWholePages)
{
	EXPECT_EQ(client.register_memory(user + 512, block), -EINVAL);
	EXPECT_EQ(client.register_memory(user, block + 512), -EINVAL);
	EXPECT_EQ(client.register_memory(0, block), -EINVAL);
	EXPECT_EQ(client.register_memory(-block, block), -EINVAL);
	EXPECT_EQ(client.register_memory(-block, 2 * block), -EINVAL);
	EXPECT_EQ(client.register_memory(user, -block), -EINVAL);
}

/* D13: the stock driver raises a kernel WARN. */
TEST_F(Memory, D13SizeZeroIsInvalid)
{
	EXPECT_EQ(client.register_memory(user, 0), -EINVAL);
	ASSERT_EQ(client.register_memory(user, block), 0);
	EXPECT_EQ(client.unregister_memory(user, 0), -EINVAL);
}

TEST_F(Memory, ReportsUnmappedMemory)
{
	EXPECT_EQ(client.register_memory(user + memory_size, block), -EFAULT);
	EXPECT_EQ(client.register_memory(user + memory_size - block, 2 * block), -EFAULT);
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_F(Memory, ObeysTheLimit)
{
	process.locked_limit = 20;
	ASSERT_EQ(client.register_memory(user, block), 0);
	EXPECT_EQ(client.register_memory(user + block, block), -ENOMEM);
	EXPECT_EQ(process.locked_vm, 16u);
}

TEST_F(Memory, MoreThanTheMachineHasIsNotEvenTried)
{
	kernel.ram_pages = 16;
	EXPECT_EQ(client.register_memory(user, 17 * page_size), -ENOMEM);
	EXPECT_EQ(client.register_memory(user, 1UL << 62), -ENOMEM);
	EXPECT_EQ(client.register_memory(user, 16 * page_size), 0);
}

TEST_F(Memory, UnregisteringNeedsTheSameBounds)
{
	ASSERT_EQ(client.register_memory(user, 2 * block), 0);
	EXPECT_EQ(client.unregister_memory(user, block), -ENOENT);
	EXPECT_EQ(client.unregister_memory(user + block, block), -ENOENT);
	EXPECT_EQ(client.unregister_memory(user - block, 3 * block), -ENOENT);
	EXPECT_EQ(client.unregister_memory(user, 3 * block), -ENOENT);
	EXPECT_EQ(client.unregister_memory(user, 2 * block), 0);
}

/* D2: the stock driver returns 0, forgets the region and leaks its pages. */
TEST_F(Memory, D2UnregisteringWhatIsMappedIsBusyAndChangesNothing)
{
	ASSERT_EQ(client.register_memory(user, block), 0);
	ASSERT_EQ(client.map(0, user, page_4k), 0);

	EXPECT_EQ(client.unregister_memory(user, block), -EBUSY);
	EXPECT_EQ(client.unregister_memory(user, block), -EBUSY);
	EXPECT_TRUE(kernel.is_pinned(process.physical(user)));
	EXPECT_EQ(client.map(page_4k, user, page_4k), 0);
	ASSERT_EQ(client.unmap(0, 2 * page_4k), 0);
	EXPECT_EQ(client.unregister_memory(user, block), 0);
	EXPECT_EQ(client.unregister_memory(user, block), -ENOENT);
}

TEST_F(Memory, FindsEachOfManyRegions)
{
	constexpr unsigned long count = 40;

	/* In an order that is not the addresses': 17 has no common factor with 40. */
	for (unsigned long i = 0; i < count; ++i)
		ASSERT_EQ(client.register_memory(user + i * 17 % count * page_size, page_size), 0);
	for (unsigned long i = 0; i < count; ++i) {
		unsigned long address = user + i * page_size;

		EXPECT_EQ(client.register_memory(address, page_size), -EBUSY);
		ASSERT_EQ(client.map(i * page_4k, address, page_4k), 0);
		expect_mapped(i * page_4k, address);
		EXPECT_EQ(client.unregister_memory(address, page_size), -EBUSY);
	}
	ASSERT_EQ(client.unmap(0, count * page_4k), 0);
	for (unsigned long i = 0; i < count; ++i)
		EXPECT_EQ(client.unregister_memory(user + i * 7 % count * page_size, page_size), 0);
}

TEST_F(Memory, MappingStaysAllowedAfterTheLastUnregistration)
{
	ASSERT_EQ(client.register_memory(user, block), 0);
	ASSERT_EQ(client.unregister_memory(user, block), 0);
	EXPECT_EQ(client.map(0, user, page_4k), -EINVAL);
	EXPECT_EQ(client.unmap(0, page_4k), 0);
}

TEST_F(Memory, EveryAllocationFailureIsReported)
{
	for (fake::Point point :
	     { fake::Point::AllocArray, fake::Point::Alloc, fake::Point::PinRegion }) {
		kernel.failures.fail(point);
		EXPECT_EQ(client.register_memory(user, block), -ENOMEM);
		EXPECT_EQ(process.locked_vm, 0u);
	}
}

TEST_F(Memory, AnotherContainerCanRegisterTheSameAtTheSameTime)
{
	Client other;

	ASSERT_EQ(other.open(), 0);
	kernel.at_next(fake::Hook::BeforePinRegion, [&] {
		std::thread([&] {
			fake::Kernel::set_current(&process);
			EXPECT_EQ(other.register_memory(user, block), 0);
		}).join();
	});
	EXPECT_EQ(client.register_memory(user, block), 0);
	EXPECT_EQ(process.locked_vm, 16u);
	other.close();
	EXPECT_EQ(process.locked_vm, 16u);
}

TEST_F(Memory, CloseReleasesWhatIsStillMapped)
{
	ASSERT_EQ(client.register_memory(user, memory_size), 0);
	ASSERT_EQ(client.map(0, user, memory_size), 0);
	client.close();
	EXPECT_EQ(process.locked_vm, 0u);
}

} /* namespace */

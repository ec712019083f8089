// SPDX-License-Identifier: GPL-2.0-only
/* TCE_CREATE, TCE_REMOVE and the pending default window. */
#include "host_test.h"

namespace {

using fake::Point;

class Windows : public HostTest {
protected:
	static constexpr unsigned long second = fake::second_window_start;
};

TEST_F(Windows, DefaultWindowIsCreatedByItsFirstUse)
{
	register_all();
	EXPECT_EQ(table(), nullptr);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	ASSERT_NE(table(), nullptr);
	EXPECT_EQ(table()->shape.size, group.data->limits.tce32_size / page_4k);
	EXPECT_EQ(table()->shape.page_shift, 12u);
}

TEST_F(Windows, DefaultWindowStartsWhereThePlatformPutsIt)
{
	Client other;
	iommu_group &shifted = kernel.add_group();

	shifted.data->limits.tce32_start = 512 * MiB;
	ASSERT_EQ(other.open(), 0);
	ASSERT_EQ(other.attach(shifted), 0);
	ASSERT_EQ(other.register_memory(user, memory_size), 0);
	EXPECT_EQ(other.map(0, user, page_4k), -ENXIO);
	EXPECT_EQ(other.map(512 * MiB, user, page_4k), 0);
	EXPECT_EQ(other.remove(0), -EINVAL);
	EXPECT_EQ(other.remove(512 * MiB), 0);
}

/* What QEMU and DPDK begin with. */
TEST_F(Windows, PendingDefaultWindowIsRemovedWithoutBeingCreated)
{
	kernel.failures.fail_always(Point::CreateTable);
	EXPECT_EQ(client.remove(0), 0);
	EXPECT_EQ(client.remove(0), -EINVAL);
	register_all();
	EXPECT_EQ(client.map(0, user, page_4k), -ENXIO);
}

TEST_F(Windows, PendingDefaultWindowIsRemovedByAnyOfItsAddresses)
{
	EXPECT_EQ(client.remove(64 * MiB), -EINVAL);
	EXPECT_EQ(client.remove(64 * MiB - 1), 0);
}

TEST_F(Windows, FirstSlotIsFreeAfterTheRemoval)
{
	ASSERT_EQ(client.remove(0), 0);
	ASSERT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), 0);
	EXPECT_EQ(client.last_window, 0u);
	EXPECT_EQ(table(0)->shape.page_shift, unsigned{ KERNEL_PAGE_SHIFT });
	ASSERT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), 0);
	EXPECT_EQ(client.last_window, second);
}

TEST_F(Windows, SecondWindowComesBesideTheDefaultOne)
{
	ASSERT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), 0);
	EXPECT_EQ(client.last_window, second);
	EXPECT_NE(table(0), nullptr);
	EXPECT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), -ENOSPC);
	/* What no window can be is told first. */
	EXPECT_EQ(client.create(13, GiB), -EINVAL);
}

TEST_F(Windows, AnyAddressOfTheWindowRemovesIt)
{
	ASSERT_EQ(client.create(12, GiB), 0);
	EXPECT_EQ(client.remove(second - 1), -EINVAL);
	EXPECT_EQ(client.remove(second + GiB), -EINVAL);
	EXPECT_EQ(client.remove(second + 12345), 0);
	EXPECT_EQ(table(1), nullptr);
	EXPECT_EQ(client.remove(second), -EINVAL);
}

TEST_F(Windows, RemovalUnmaps)
{
	register_all();
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_EQ(client.unregister_memory(user, memory_size), 0);
}

TEST_F(Windows, RemovalAndCreationManyTimes)
{
	register_all();
	for (int i = 0; i < 100; ++i) {
		ASSERT_EQ(client.remove(0), 0);
		ASSERT_EQ(client.create(12, 16 * MiB), 0);
		ASSERT_EQ(client.map(0, user, 64 * KiB), 0);
	}
}

/* D6: the stock driver shifts by these. */
TEST_F(Windows, D6RefusesImpossibleShapes)
{
	for (unsigned int shift : { 0u, 11u, 13u, 63u, 64u, 200u, ~0u })
		EXPECT_EQ(client.create(shift, GiB), -EINVAL) << shift;
	for (unsigned long size : { 0UL, 1UL, 2048UL, 3 * GiB, ~0UL, GiB + 1 })
		EXPECT_EQ(client.create(12, size), -EINVAL) << size;
	EXPECT_EQ(client.create(24, 8 * MiB), -EINVAL);
	for (unsigned int levels : { 0u, 6u, ~0u })
		EXPECT_EQ(client.create(12, GiB, levels), -EINVAL) << levels;
}

TEST_F(Windows, SmallestWindowIsOnePage)
{
	register_all();
	ASSERT_EQ(client.create(12, page_4k), 0);
	EXPECT_EQ(client.map(second, user, page_4k), 0);

	/* The kernel's own table has a page of entries at least. */
	unsigned long entries = uses_kernel_tables() ? fake::page_size / 8 : 1;
	unsigned long last = second + (entries - 1) * page_4k;

	EXPECT_EQ(client.map(last, user, 2 * page_4k), -EINVAL);
	EXPECT_EQ(client.map(last + page_4k, user, page_4k), -ENXIO);
}

TEST_F(Windows, RefusesMoreThanThePhbCanAddress)
{
	EXPECT_EQ(client.create(24, 1UL << 60, 3), -EINVAL);
}

/* QEMU tries more levels then. */
TEST_F(Windows, LevelsTooLargeToAllocateAreRefusedUntried)
{
	kernel.failures.fail_always(Point::CreateTable);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(client.create(12, 1UL << 42, 1), -ENOMEM);
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_F(Windows, ChargeLastsAsLongAsTheWindow)
{
	ASSERT_EQ(client.remove(0), 0);
	ASSERT_EQ(client.create(12, GiB), 0);
	/* The TCEs, and as much for the view. */
	EXPECT_GE(process.locked_vm, 4 * MiB / fake::page_size);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(process.locked_vm, 0u);
}

/* D3: the stock driver keeps the charge for ever. */
TEST_F(Windows, D3FailedCreationIsNotCharged)
{
	ASSERT_EQ(client.remove(0), 0);
	for (Point point : { Point::Alloc, Point::ChargeLocked, Point::CreateTable }) {
		kernel.failures.fail(point);
		EXPECT_EQ(client.create(12, GiB), -ENOMEM);
		EXPECT_EQ(process.locked_vm, 0u);
	}
	fail_link(1, 2);
	EXPECT_EQ(client.create(12, GiB), -ENOMEM);
	EXPECT_EQ(process.locked_vm, 0u);
	kernel.failures.fail(Point::SetWindow);
	EXPECT_EQ(client.create(12, GiB), -EIO);
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_F(Windows, WindowThatTheFirmwareCannotInvalidateIsRefused)
{
	if (uses_kernel_tables())
		GTEST_SKIP() << "the kernel's own tables do not ask the firmware";
	ASSERT_EQ(client.remove(0), 0);
	kernel.failures.fail(Point::KillPe);
	EXPECT_EQ(client.create(12, GiB), -EIO);
	EXPECT_EQ(process.locked_vm, 0u);
	EXPECT_EQ(client.create(12, GiB), 0);
}

TEST_F(Windows, D3LimitIsObeyed)
{
	ASSERT_EQ(client.remove(0), 0);
	ASSERT_EQ(client.create(12, GiB), 0);
	process.locked_limit = process.locked_vm;
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(client.create(12, 2 * GiB), -ENOMEM);
	EXPECT_EQ(process.locked_vm, 0u);
	EXPECT_EQ(client.create(12, GiB), 0);
	EXPECT_EQ(client.create(12, page_4k), -ENOMEM);
}

TEST_F(Windows, UnwritableAnswerTakesTheWindowBack)
{
	vfio_iommu_spapr_tce_create request = {};

	request.argsz = sizeof(request);
	request.page_shift = 12;
	request.window_size = GiB;
	request.levels = 1;
	kernel.protect(&request.start_addr, true);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(client.ioctl(VFIO_IOMMU_SPAPR_TCE_CREATE, &request), -EFAULT);
	EXPECT_EQ(table(0), nullptr);
	EXPECT_EQ(process.locked_vm, 0u);
}

/* Should the firmware refuse, a PHB goes on reading the table. */
TEST_F(Windows, TableThatThePhbKeepsIsNeverFreed)
{
	register_all();
	ASSERT_EQ(client.map(0, user, MiB), 0);
	kernel.failures.fail(Point::UnsetWindow);
	EXPECT_EQ(client.remove(0), 0);
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_EQ(kernel.tables.size(), 1u);
	EXPECT_EQ(client.map(0, user, page_4k), -ENXIO);
}

TEST_F(Windows, TableThatThePhbKeepsAfterAFailedLinkIsNeverFreed)
{
	if (!uses_kernel_tables())
		GTEST_SKIP() << "the link is there before the PHB is told";
	ASSERT_EQ(client.remove(0), 0);
	kernel.failures.fail_always(Point::LinkTable);
	kernel.failures.fail_always(Point::UnsetWindow);
	EXPECT_EQ(client.create(12, GiB), -ENOMEM);
}

} /* namespace */

// SPDX-License-Identifier: GPL-2.0-only
/* Groups that come and go, and that share a container's windows. */
#include "host_test.h"

namespace {

using fake::Point;

class Groups : public HostTest {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		register_all();
	}

	iommu_group &second = kernel.add_group();
};

TEST_F(Groups, RefusesAGroupWithoutTables)
{
	iommu_group bare;

	EXPECT_EQ(client.attach(bare), -ENODEV);
}

TEST_F(Groups, RefusesAGroupWithoutDynamicWindows)
{
	for (unsigned int windows : { 0u, 3u, ~0u }) {
		second.data->limits.max_windows = windows;
		EXPECT_EQ(client.attach(second), -EINVAL) << windows;
	}
	second.data->limits.max_windows = 2;
	second.data->limits.has_window_ops = false;
	EXPECT_EQ(client.attach(second), -EINVAL);
}

TEST_F(Groups, RefusesAGroupTwice)
{
	EXPECT_EQ(client.attach(group), -EBUSY);
}

TEST_F(Groups, RefusesAGroupOfAnotherPlatform)
{
	static const char other_platform = 0;

	second.data->limits.kernel_platform = &other_platform;
	EXPECT_EQ(client.attach(second), -EPERM);

	Client other;
	ASSERT_EQ(other.open(), 0);
	EXPECT_EQ(other.attach(second), 0);
}

TEST_F(Groups, NewGroupGetsAllWindows)
{
	ASSERT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), 0);
	ASSERT_EQ(client.attach(second), 0);
	EXPECT_EQ(second.data->tables, group.data->tables);
	EXPECT_EQ(second.data->hardware, group.data->hardware);
	EXPECT_NE(table(0), nullptr);
	EXPECT_NE(table(1), nullptr);
}

TEST_F(Groups, NewWindowIsSetInAllGroups)
{
	ASSERT_EQ(client.attach(second), 0);
	ASSERT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), 0);
	EXPECT_EQ(second.data->tables, group.data->tables);
	ASSERT_EQ(client.remove(client.last_window), 0);
	EXPECT_EQ(second.data->tables, group.data->tables);
	EXPECT_EQ(table(1), nullptr);
}

/* D4: the stock driver clears the tables that the other group uses. */
TEST_F(Groups, D4DetachingOneGroupLeavesTheMappingsOfTheOthers)
{
	ASSERT_EQ(client.attach(second), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);

	client.detach(second);
	EXPECT_EQ(second.data->tables[0], nullptr);
	EXPECT_EQ(mapped_entries(), MiB / page_4k);
	expect_mapped(0, user);
	EXPECT_EQ(client.map(MiB, user, MiB), 0);
}

TEST_F(Groups, D4TheFirstGroupCanLeaveFirst)
{
	ASSERT_EQ(client.attach(second), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	client.detach(group);
	EXPECT_EQ(second.data->tables[0]->entries().size(), MiB / page_4k);
	EXPECT_EQ(client.unmap(0, MiB), 0);
}

TEST_F(Groups, D4FirmwareThatRefusesToDetachAGroupDoesNotHarmTheOthers)
{
	ASSERT_EQ(client.attach(second), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	kernel.failures.fail(Point::UnsetWindow);
	client.detach(second);

	expect_mapped(0, user);
	EXPECT_EQ(client.map(MiB, user, MiB), 0);
	EXPECT_EQ(client.unmap(0, 2 * MiB), 0);
}

TEST_F(Groups, LastGroupTakesTheMappingsAlong)
{
	ASSERT_EQ(client.map(0, user, MiB), 0);
	client.detach(group);
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_EQ(group.data->hardware[0], nullptr);
}

TEST_F(Groups, DetachingAStrangerDoesNothing)
{
	ASSERT_EQ(client.map(0, user, MiB), 0);
	tce_container_detach_group(client.handle(), &second);
	expect_mapped(0, user);
}

/* The VFIO core can still let an ioctl through between the last detach and the release. */
TEST_F(Groups, NothingIsMappedAfterTheLastGroupHasLeft)
{
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	client.detach(group);
	/* On pSeries there is no way to a table that no group has: the kernel would oops. */
	EXPECT_EQ(client.map(0, user, page_4k), -ENXIO);
	EXPECT_EQ(client.unmap(0, page_4k), -ENXIO);
	EXPECT_EQ(process.mapped(), 0);
}

TEST_F(Groups, PendingDefaultWindowIsNotCreatedAfterTheLastGroupHasLeft)
{
	client.detach(group);
	EXPECT_EQ(client.map(0, user, page_4k), -ENXIO);
	EXPECT_TRUE(kernel.tables.empty());
}

/* The VFIO core ends a container with its last group, so this is more than it asks for. */
TEST_F(Groups, GroupAfterTheLastOneCanHaveTablesOfAnotherKind)
{
	iommu_group &third = kernel.add_group();
	Client other;

	ASSERT_EQ(other.open(), 0);
	/* Its PE cannot be told to forget TCEs: it gets the kernel's tables. */
	kernel.failures.fail(Point::KillPe);
	ASSERT_EQ(other.attach(second), 0);
	kernel.failures.forget();
	ASSERT_EQ(other.register_memory(user, memory_size), 0);
	ASSERT_EQ(other.map(0, user, page_4k), 0);
	unsigned long charged = process.locked_vm;

	other.detach(second);
	EXPECT_LT(process.locked_vm, charged);
	EXPECT_EQ(other.map(0, user, page_4k), -ENXIO);
	ASSERT_EQ(other.attach(third), 0);
	EXPECT_EQ(other.map(0, user, page_4k), 0);
	EXPECT_EQ(third.data->tables[0]->entries().size(), 1u);
}

TEST_F(Groups, FailureToSetAWindowInANewGroupUndoesTheOthers)
{
	ASSERT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	for (unsigned long nth : { 1, 2 }) {
		kernel.failures.fail(Point::SetWindow, nth);
		EXPECT_EQ(client.attach(second), -EIO);
		fail_link(nth, 1);
		EXPECT_EQ(client.attach(second), -ENOMEM);
		EXPECT_EQ(second.data->tables[0], nullptr);
		EXPECT_EQ(second.data->hardware[0], nullptr);
		EXPECT_EQ(second.data->hardware[1], nullptr);
	}
	expect_mapped(0, user);
	EXPECT_EQ(client.attach(second), 0);
}

TEST_F(Groups, FailureToSetANewWindowInOneGroupUndoesTheOthers)
{
	iommu_group &third = kernel.add_group();

	ASSERT_EQ(client.attach(second), 0);
	ASSERT_EQ(client.attach(third), 0);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	unsigned long charged = process.locked_vm;

	for (unsigned long nth : { 1, 2, 3 }) {
		kernel.failures.fail(Point::SetWindow, nth);
		EXPECT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), -EIO);
		fail_link(nth, 2);
		EXPECT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), -ENOMEM);
		for (iommu_group *each : { &group, &second, &third }) {
			EXPECT_EQ(each->data->tables[1], nullptr);
			EXPECT_EQ(each->data->hardware[1], nullptr);
		}
		EXPECT_EQ(process.locked_vm, charged);
	}
	EXPECT_EQ(client.create(KERNEL_PAGE_SHIFT, GiB), 0);
}

TEST_F(Groups, NoMemoryForAnAttachment)
{
	kernel.failures.fail(Point::Alloc);
	EXPECT_EQ(client.attach(second), -ENOMEM);
	EXPECT_EQ(client.attach(second), 0);
}

TEST_F(Groups, ComeAndGoAThousandTimes)
{
	ASSERT_EQ(client.map(0, user, MiB), 0);
	for (int i = 0; i < 1000; ++i) {
		ASSERT_EQ(client.attach(second), 0);
		client.detach(second);
	}
	expect_mapped(0, user);
}

/*
 * The kernel leaves the bypass on when it could not give a PE all of its own windows back: the next
 * user would reach all of the memory through it.
 */
TEST_F(HostTest, BypassIsOffBeforeTheGroupIsAttached)
{
	iommu_group &bypassed = kernel.add_group();

	bypassed.data->bypass = bypassed.data->uses_bypass = true;
	ASSERT_EQ(client.attach(bypassed), 0);
	EXPECT_FALSE(bypassed.data->bypass);
	EXPECT_FALSE(bypassed.data->uses_bypass);
}

TEST_F(HostTest, GroupWhoseBypassStaysOnIsRefused)
{
	iommu_group &bypassed = kernel.add_group();

	bypassed.data->bypass = true;
	kernel.failures.fail_always(fake::Point::UnsetWindow);
	EXPECT_EQ(client.attach(bypassed), -EIO);
	kernel.failures.forget();
	EXPECT_EQ(client.attach(bypassed), 0);
}

} /* namespace */

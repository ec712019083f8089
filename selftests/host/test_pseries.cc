// SPDX-License-Identifier: GPL-2.0-only
/* Partitions: windows that are borrowed or dynamic, and the hypervisor's calls. */
#include "fake/kvm.h"
#include "host_test.h"

#include <cerrno>

namespace {

constexpr unsigned long window_liobn = 0x8000'0001;
constexpr unsigned long window_size = 64 * MiB;
constexpr unsigned long pages = 1024;
constexpr unsigned long per_call = 512;

class Partition : public HostTest {
protected:
	void SetUp() override
	{
		kernel.hypervisor.is_there = true;
		client.checks_invalidation = false;
		make_borrowed(group);
	}

	/* A group as the kernel describes one without dynamic windows. */
	static void make_borrowed(iommu_group &group)
	{
		group.data->limits.max_windows = ~0U;
		group.data->limits.max_levels = 0;
		group.data->firmware_window = { window_liobn, 0, window_size };
	}

	void make_dynamic()
	{
		group.data->limits.max_windows = 2;
		group.data->limits.max_levels = 1;
	}

	void start()
	{
		tce_module_init(uses_kernel_tables());
		ASSERT_EQ(client.open(), 0);
		ASSERT_EQ(client.attach(group), 0);
		register_all();
		/* Makes the default window. */
		ASSERT_EQ(client.unmap(0, page_4k), 0);
		forget_calls();
	}

	void forget_calls()
	{
		kernel.hypervisor.puts = kernel.hypervisor.indirects = kernel.hypervisor.stuffs = 0;
	}

	auto &window() { return kernel.hypervisor.tces[window_liobn]; }
};

TEST_F(Partition, D7InfoTellsOfOneWindow)
{
	vfio_iommu_spapr_tce_info info = {};

	start();
	ASSERT_EQ(client.get_info(info), 0);
	EXPECT_EQ(info.flags, 0u);
	EXPECT_EQ(info.dma32_window_start, 0u);
	EXPECT_EQ(info.dma32_window_size, window_size);
	EXPECT_EQ(info.ddw.pgsizes, page_4k);
	EXPECT_EQ(info.ddw.max_dynamic_windows_supported, 1u);
	EXPECT_EQ(info.ddw.levels, 1u);
}

TEST_F(Partition, D7BorrowedWindowIsMapped)
{
	start();
	ASSERT_EQ(client.map(page_4k, user, 3 * page_4k), 0);
	EXPECT_EQ(window().size(), 3u);
	expect_mapped(page_4k, user);
	expect_mapped(3 * page_4k, user + 2 * page_4k);
	ASSERT_EQ(client.unmap(2 * page_4k, page_4k), 0);
	EXPECT_EQ(window().size(), 2u);
	EXPECT_EQ(process.mapped(), 2);
}

TEST_F(Partition, D7BorrowedWindowIsMappedInV1)
{
	vfio_iommu_spapr_tce_info info = {};
	unsigned int direction = KERNEL_DMA_NONE;
	unsigned long hpa = 0;

	tce_module_init(uses_kernel_tables());
	ASSERT_EQ(client.open(VFIO_SPAPR_TCE_IOMMU), 0);
	ASSERT_EQ(client.attach(group), 0);
	ASSERT_EQ(client.get_info(info), 0);
	EXPECT_EQ(info.dma32_window_size, window_size);
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	EXPECT_EQ(window().size(), pages);
	/* KVM of a partition with guests cannot count pinned pages, and may not touch them. */
	ASSERT_EQ(table()->exchange(0, &hpa, &direction), 0);
	EXPECT_EQ(window().size(), pages);
	ASSERT_EQ(client.unmap(0, pages * page_4k), 0);
	EXPECT_EQ(window().size(), 0u);
	EXPECT_EQ(client.disable(), 0);
}

TEST_F(Partition, D7OnlyTheWindowThatThereIs)
{
	start();
	EXPECT_EQ(client.create(12, window_size), -ENOSPC);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(client.create(12, window_size / 2), -EINVAL);
	EXPECT_EQ(client.create(12, window_size * 2), -EINVAL);
	EXPECT_EQ(client.create(16, window_size), -EINVAL);
	EXPECT_EQ(client.create(12, window_size, 0), -EINVAL);
	ASSERT_EQ(client.create(12, window_size, 3), 0);
	EXPECT_EQ(client.last_window, 0u);
	EXPECT_EQ(client.create(12, window_size), -ENOSPC);
}

TEST_F(Partition, D7WindowStartsWhereTheFirmwareHasIt)
{
	group.data->firmware_window->start = 1 * GiB;
	ASSERT_NO_FATAL_FAILURE(tce_module_init(uses_kernel_tables()));
	ASSERT_EQ(client.open(), 0);
	ASSERT_EQ(client.attach(group), 0);
	register_all();
	EXPECT_EQ(client.map(0, user, page_4k), -ENXIO);
	EXPECT_EQ(client.map(1 * GiB, user, page_4k), 0);
	EXPECT_TRUE(window().contains(1 * GiB / page_4k));
}

TEST_F(Partition, D7WindowInUseIsNotTakenOver)
{
	fake::KernelTable used({ .offset = 0,
				 .size = 1,
				 .page_shift = 12,
				 .indirect_levels = 0,
				 .level_size = 0,
				 .node = 0,
				 .base = nullptr });

	window()[7] = 0x7003;
	group.data->tables[0] = &used;
	ASSERT_EQ(client.open(), 0);
	EXPECT_EQ(client.attach(group), -EBUSY);
	EXPECT_EQ(window().size(), 1u);
	group.data->tables[0] = nullptr;
	window().clear();
}

TEST_F(Partition, WhatTheHostHasLeftInTheWindowIsGone)
{
	window()[7] = 0x7003;
	window()[window_size / page_4k - 1] = 0x8003;
	start();
	EXPECT_TRUE(window().empty());
}

TEST_F(Partition, GroupWithoutAnyWindowIsRefused)
{
	group.data->firmware_window.reset();
	ASSERT_EQ(client.open(), 0);
	EXPECT_EQ(client.attach(group), -EINVAL);
}

/* What does not fit into a table whose entries are a power of two is not made to fit. */
TEST_F(Partition, WindowOfAnImpossibleSizeIsRefused)
{
	ASSERT_EQ(client.open(), 0);
	for (unsigned long size : { 0ul, page_4k / 2, 48 * MiB, 64 * MiB + page_4k, ~0ul }) {
		group.data->firmware_window->size = size;
		EXPECT_EQ(client.attach(group), -EINVAL) << size;
	}
	group.data->firmware_window->size = 64 * MiB;
	for (unsigned long start : { page_4k / 2, ~0ul - page_4k + 1 }) {
		group.data->firmware_window->start = start;
		EXPECT_EQ(client.attach(group), -EINVAL) << start;
	}
	EXPECT_EQ(kernel.hypervisor.calls(), 0u);
	group.data->firmware_window->start = 0;
	EXPECT_EQ(client.attach(group), 0);
}

TEST_F(Partition, GroupsDoNotShareTables)
{
	iommu_group &other = kernel.add_group();

	make_borrowed(other);
	start();
	EXPECT_EQ(client.attach(other), -EPERM);
}

TEST_F(Partition, WriteOnlyMappingCannotBeRead)
{
	start();
	ASSERT_EQ(client.map(0, user, page_4k, write_only), 0);
	EXPECT_EQ(window().at(0) & 3, 2u);
	ASSERT_EQ(client.map(0, user, page_4k, read_only), 0);
	EXPECT_EQ(window().at(0) & 3, 1u);
}

TEST_F(Partition, OneCallForManyEntries)
{
	start();
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.indirects, pages / per_call);
	EXPECT_EQ(kernel.hypervisor.calls(), pages / per_call);
	EXPECT_EQ(window().size(), pages);
	forget_calls();
	ASSERT_EQ(client.unmap(0, pages * page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.stuffs, pages / per_call);
	EXPECT_EQ(kernel.hypervisor.calls(), pages / per_call);
	EXPECT_TRUE(window().empty());
}

TEST_F(Partition, OneCallForOneEntry)
{
	start();
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.puts, 1u);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.puts, 2u);
	EXPECT_EQ(kernel.hypervisor.calls(), 2u);
}

TEST_F(Partition, OneCallForEachEntryWithoutMultiTce)
{
	kernel.hypervisor.says_multi_tce = kernel.hypervisor.has_multi_tce = false;
	start();
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.calls(), pages);
	ASSERT_EQ(client.unmap(0, pages * page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.puts, 2 * pages);
	EXPECT_EQ(kernel.hypervisor.calls(), 2 * pages);
}

/* The firmware promises what the hypervisor does not have: that is found out once. */
TEST_F(Partition, MultiTceThatIsNotThereAfterAll)
{
	start();
	kernel.hypervisor.has_multi_tce = false;
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.indirects, 1u);
	EXPECT_EQ(kernel.hypervisor.puts, pages);
	EXPECT_EQ(window().size(), pages);
	ASSERT_EQ(client.unmap(0, pages * page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.stuffs, 0u);
	EXPECT_TRUE(window().empty());
}

TEST_F(Partition, D11EmptyWindowCostsNoCall)
{
	start();
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	ASSERT_EQ(client.map(window_size - page_4k, user, page_4k), 0);
	forget_calls();
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(kernel.hypervisor.calls(), 2u);
}

/* A map fails at each of its calls in turn, and leaves nothing behind. */
class RefusedMap : public Partition, public testing::WithParamInterface<bool> {};

TEST_P(RefusedMap, IsRolledBack)
{
	fake::Point point = GetParam() ? fake::Point::PutTceIndirect : fake::Point::PutTce;

	kernel.hypervisor.says_multi_tce = kernel.hypervisor.has_multi_tce = GetParam();
	start();
	for (unsigned long nth : { 1ul, 2ul, GetParam() ? 2ul : pages }) {
		kernel.failures.fail(point, nth);
		EXPECT_EQ(client.map(0, user, pages * page_4k), -EIO);
		EXPECT_TRUE(window().empty());
		EXPECT_EQ(process.mapped(), 0);
		EXPECT_EQ(table()->user_address(0), 0u);
	}
	EXPECT_EQ(client.map(0, user, pages * page_4k), 0);
	EXPECT_EQ(window().size(), pages);
}

TEST_P(RefusedMap, InPlaceOfAnotherLosesNoCount)
{
	fake::Point point = GetParam() ? fake::Point::PutTceIndirect : fake::Point::PutTce;

	kernel.hypervisor.says_multi_tce = kernel.hypervisor.has_multi_tce = GetParam();
	start();
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	kernel.failures.fail(point, 2);
	EXPECT_EQ(client.map(0, user, pages * page_4k, read_only), -EIO);
	EXPECT_EQ(process.mapped(), static_cast<long>(window().size()));
	EXPECT_EQ(client.unmap(0, pages * page_4k), 0);
	EXPECT_TRUE(window().empty());
	EXPECT_EQ(process.mapped(), 0);
}

INSTANTIATE_TEST_SUITE_P(MultiTce, RefusedMap, testing::Bool());

/* What cannot be emptied with one call is emptied with others. */
TEST_F(Partition, RefusedUnmapIsTriedEntryByEntry)
{
	start();
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	kernel.failures.fail(fake::Point::StuffTce);
	EXPECT_EQ(client.unmap(0, pages * page_4k), 0);
	EXPECT_TRUE(window().empty());
	EXPECT_EQ(process.mapped(), 0);

	ASSERT_EQ(client.map(0, user, page_4k), 0);
	kernel.failures.fail(fake::Point::PutTce);
	EXPECT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_TRUE(window().empty());
	EXPECT_EQ(process.mapped(), 0);
}

/* What cannot be emptied at all stays within the device's reach: its memory is never given up. */
TEST_F(Partition, RefusedUnmapKeepsTheMemory)
{
	kernel.expect_lost_counts();
	start();
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	kernel.failures.fail_always(fake::Point::StuffTce);
	kernel.failures.fail_always(fake::Point::PutTce);
	EXPECT_EQ(client.unmap(0, pages * page_4k), -EIO);
	EXPECT_EQ(process.mapped(), static_cast<long>(pages));
	EXPECT_EQ(client.unregister_memory(user, memory_size), -EBUSY);

	/* Becomes an orphan, which the next container to close would release. */
	Client next;

	ASSERT_EQ(next.open(), 0);
	ASSERT_EQ(next.register_memory(0, memory_size), -EINVAL);
	client.close();
	EXPECT_EQ(process.mapped(), static_cast<long>(pages));
	EXPECT_TRUE(kernel.is_pinned(process.physical(user)));
	kernel.give_back_lost_counts();
}

TEST_F(Partition, KvmMapsOneEntryAtATime)
{
	start();
	ASSERT_TRUE(fake::kvm_put_tce(*table(), process, 5, user));
	EXPECT_EQ(kernel.hypervisor.puts, 1u);
	expect_mapped(5 * page_4k, user);
	ASSERT_EQ(client.unmap(0, window_size), 0);
	EXPECT_EQ(process.mapped(), 0);

	ASSERT_EQ(client.map(0, user, page_4k), 0);
	kernel.failures.fail(fake::Point::PutTce);
	/* KVM cannot be told: an entry that the hypervisor refuses is empty. */
	EXPECT_TRUE(fake::kvm_put_tce(*table(), process, 0, user + page_4k));
	EXPECT_EQ(mapped_entries(), 0u);
	EXPECT_EQ(process.mapped(), 0);
}

TEST_F(Partition, DynamicWindowGivesTheSlotBackToTheKernelsTable)
{
	make_dynamic();
	start();
	EXPECT_TRUE(dynamic_cast<fake::PartitionTable *>(table()));
	ASSERT_EQ(client.map(0, user, pages * page_4k), 0);
	EXPECT_EQ(kernel.hypervisor.calls(), pages / per_call);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_FALSE(table());
	EXPECT_EQ(process.mapped(), 0);
}

/* The kernel would never make a window for this group again, had it tried. */
TEST_F(Partition, WindowsThatTheKernelCannotMakeAreNotAskedFor)
{
	make_dynamic();
	start();
	ASSERT_EQ(client.create(16, 1 * GiB), 0);
	ASSERT_EQ(client.remove(0), 0);
	/* The default window would take the other one away, and there is only one other one. */
	EXPECT_EQ(client.create(12, page_4k), -EPERM);
	EXPECT_EQ(client.create(16, 1 * GiB), -ENOSPC);
}

/* The same for a PE that can have one window in all: the default one, which is pending, is it. */
TEST_F(Partition, NoMoreWindowsThanTheGroupCanHave)
{
	make_dynamic();
	group.data->limits.max_windows = 1;
	start();

	unsigned long made = kernel.failures.calls(fake::Point::CreateTable);

	EXPECT_EQ(client.create(16, 1 * GiB), -ENOSPC);
	EXPECT_EQ(kernel.failures.calls(fake::Point::CreateTable), made);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(client.create(16, 1 * GiB), 0);
	EXPECT_EQ(client.create(12, 64 * MiB), -ENOSPC);
}

TEST_F(Partition, FailedDynamicWindowLeavesNothing)
{
	make_dynamic();
	start();
	for (fake::Point point :
	     { fake::Point::CreateTable, fake::Point::AllocLevel, fake::Point::Alloc }) {
		kernel.failures.fail(point, point == fake::Point::CreateTable ? 2 : 1);
		EXPECT_EQ(client.create(16, 1 * GiB), -ENOMEM);
		EXPECT_FALSE(table(1));
	}
	EXPECT_EQ(client.create(16, 1 * GiB), 0);
}

/* The kernel's table stays with its window; ours is freed, and with it goes what keeps the module.
 */
TEST_F(Partition, WindowThatTheFirmwareDoesNotRemoveKeepsNothingOfOurs)
{
	make_dynamic();
	start();
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	kernel.failures.fail(fake::Point::UnsetWindow);
	ASSERT_EQ(client.remove(0), 0);
	ASSERT_TRUE(dynamic_cast<fake::KernelTable *>(table()));
	EXPECT_EQ(kernel.tables.size(), 1u);
	EXPECT_EQ(kernel.hypervisor.tces[table()->liobn].size(), 0u);
	EXPECT_EQ(process.mapped(), 0);
	/* The next time it does. */
	EXPECT_EQ(glue_table_group_unset_window(group.data, 0), 0);
}

/* Whatever is wrong with the size, no table goes without a charge. */
TEST_F(Partition, WindowOfUnknownSizeIsNotMade)
{
	make_dynamic();
	start();
	kernel.failures.fail(fake::Point::SizeTable);
	EXPECT_EQ(client.create(16, 1 * GiB), -EINVAL);
	EXPECT_FALSE(table(1));
}

} /* namespace */

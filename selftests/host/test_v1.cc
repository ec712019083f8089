// SPDX-License-Identifier: GPL-2.0-only
/* Containers of the v1 type: one group, the default window, and pages that are pinned when mapped.
 */
#include "host_test.h"

#include "drivers/vfio/pinned_pages.h"
#include "fake/kvm.h"

namespace {

class V1 : public HostTest {
protected:
	void SetUp() override
	{
		ASSERT_EQ(client.open(VFIO_SPAPR_TCE_IOMMU), 0);
		ASSERT_EQ(client.attach(group), 0);
		window_size = group.data->limits.tce32_size;
		window_pages = window_size / fake::page_size;
	}

	long pins(unsigned long address) { return kernel.pins(process.physical(address)); }

	/* The entry for @iova leads to @address. */
	void expect_entry(unsigned long iova, unsigned long address)
	{
		fake::Tces entries = table()->entries();

		ASSERT_TRUE(entries.contains(iova / page_4k));
		EXPECT_EQ(entries.at(iova / page_4k).hpa, process.physical(address));
	}

	unsigned long window_size = 0;
	unsigned long window_pages = 0;
};

TEST_F(V1, EnableChargesTheWindowAndDisableGivesItBack)
{
	ASSERT_EQ(client.enable(), 0);
	EXPECT_EQ(process.locked_vm, window_pages);
	EXPECT_EQ(client.enable(), -EBUSY);
	EXPECT_EQ(process.locked_vm, window_pages);
	EXPECT_EQ(client.disable(), 0);
	EXPECT_EQ(process.locked_vm, 0u);
	EXPECT_EQ(client.disable(), 0);
	EXPECT_EQ(client.enable(), 0);
}

TEST_F(V1, EnableNeedsAGroupWithADefaultWindow)
{
	Client other;

	ASSERT_EQ(other.open(VFIO_SPAPR_TCE_IOMMU), 0);
	EXPECT_EQ(other.enable(), -ENXIO);

	iommu_group &without = kernel.add_group();

	without.data->limits.tce32_size = 0;
	ASSERT_EQ(other.attach(without), 0);
	EXPECT_EQ(other.enable(), -EPERM);
}

TEST_F(V1, EnableBeyondTheLimit)
{
	process.locked_limit = window_pages - 1;
	EXPECT_EQ(client.enable(), -ENOMEM);
	EXPECT_EQ(process.locked_vm, 0u);
	EXPECT_EQ(client.map(0, user, page_4k), -EPERM);
	process.locked_limit = window_pages;
	EXPECT_EQ(client.enable(), 0);
	/* The table has no room left. */
	EXPECT_EQ(client.map(0, user, page_4k), -ENOMEM);
	EXPECT_EQ(process.locked_vm, window_pages);
	EXPECT_EQ(kernel.all_pins(), 0);
}

TEST_F(V1, MapsOnlyWhileEnabled)
{
	EXPECT_EQ(client.map(0, user, page_4k), -EPERM);
	EXPECT_EQ(client.unmap(0, page_4k), -EPERM);
	ASSERT_EQ(client.enable(), 0);
	EXPECT_EQ(client.map(0, user, page_4k), 0);
	EXPECT_EQ(client.unmap(0, page_4k), 0);
	ASSERT_EQ(client.disable(), 0);
	EXPECT_EQ(client.map(0, user, page_4k), -EPERM);
	EXPECT_EQ(client.unmap(0, page_4k), -EPERM);
}

/* What is no longer charged is no longer pinned either. */
TEST_F(V1, DisableUnmapsAll)
{
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.disable(), 0);
	EXPECT_EQ(mapped_entries(), 0u);
	EXPECT_EQ(kernel.all_pins(), 0);
}

TEST_F(V1, BelongsToTheProcessThatEnabledIt)
{
	mm_struct stranger;
	vfio_iommu_spapr_tce_info info = {};

	stranger.mmap(user, memory_size);
	ASSERT_EQ(client.enable(), 0);
	fake::Kernel::set_current(&stranger);
	EXPECT_EQ(client.get_info(info), -EPERM);
	EXPECT_EQ(client.enable(), -EPERM);
	EXPECT_EQ(client.disable(), -EPERM);
	EXPECT_EQ(client.map(0, user, page_4k), -EPERM);
	EXPECT_EQ(client.unmap(0, page_4k), -EPERM);
	client.close();
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_F(V1, AKernelThreadOwnsNothing)
{
	fake::Kernel::set_current(nullptr);
	EXPECT_EQ(client.enable(), -EPERM);
}

TEST_F(V1, GetInfoTellsOfNoDynamicWindows)
{
	for (bool enabled : { false, true }) {
		vfio_iommu_spapr_tce_info info = {};

		info.flags = ~0u;
		info.ddw.pgsizes = 0x1234;
		ASSERT_EQ(client.get_info(info), 0);
		EXPECT_EQ(info.flags, 0u);
		EXPECT_EQ(info.dma32_window_start, 0u);
		EXPECT_EQ(info.dma32_window_size, window_size);
		EXPECT_EQ(info.ddw.pgsizes, 0u);
		EXPECT_EQ(info.ddw.max_dynamic_windows_supported, 0u);
		EXPECT_EQ(info.ddw.levels, 0u);
		if (!enabled) {
			ASSERT_EQ(client.enable(), 0);
		}
	}
}

/* Whatever the argument is. */
TEST_F(V1, RefusesTheCallsOfV2AndV2ThoseOfV1)
{
	Client v2;
	int argument = 0;

	ASSERT_EQ(v2.open(), 0);
	for (unsigned int command :
	     { VFIO_IOMMU_SPAPR_REGISTER_MEMORY, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY,
	       VFIO_IOMMU_SPAPR_TCE_CREATE, VFIO_IOMMU_SPAPR_TCE_REMOVE }) {
		EXPECT_EQ(client.ioctl(command, &argument), -ENOTTY);
		EXPECT_EQ(client.ioctl(command, nullptr), -ENOTTY);
	}
	EXPECT_EQ(v2.enable(), -ENOTTY);
	EXPECT_EQ(v2.disable(), -ENOTTY);
}

TEST_F(V1, TakesOneGroup)
{
	iommu_group &second = kernel.add_group();

	EXPECT_EQ(client.attach(second), -EBUSY);
	EXPECT_EQ(client.attach(group), -EBUSY);
	client.detach(group);
	EXPECT_EQ(client.attach(second), 0);
	client.detach(second);
	EXPECT_EQ(client.attach(group), 0);
}

TEST_F(V1, PinsWhatIsMapped)
{
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(8 * page_4k, user + MiB, MiB), 0);
	EXPECT_EQ(mapped_entries(), MiB / page_4k);
	EXPECT_EQ(kernel.all_pins(), long(MiB / page_4k));
	for (unsigned long at = 0; at < MiB; at += page_4k)
		expect_entry(8 * page_4k + at, user + MiB + at);

	ASSERT_EQ(client.unmap(8 * page_4k, MiB / 2), 0);
	EXPECT_EQ(mapped_entries(), MiB / 2 / page_4k);
	EXPECT_EQ(kernel.all_pins(), long(MiB / 2 / page_4k));
	ASSERT_EQ(client.unmap(0, window_size), 0);
	EXPECT_EQ(kernel.all_pins(), 0);
}

/* Many pages with one call of the kernel, also where a kernel page has several IOMMU pages. */
TEST_F(V1, PinsInBatches)
{
	constexpr unsigned long pages = MiB / page_4k;

	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	EXPECT_LE(kernel.pin_calls, pages / 16);
	ASSERT_EQ(client.unmap(0, MiB), 0);
	EXPECT_LE(kernel.unpin_calls, pages / 16);
}

/* One call gives back what follows each other; the rest is gathered for another. */
TEST_F(V1, PagesAreUnpinnedInAnyOrder)
{
	constexpr unsigned long page = fake::page_size;
	constexpr unsigned long places[] = { 7, 3, 4, 5, 1, 6, 6, 0, 2, 9, 10 };
	unsigned long iova = 0;

	ASSERT_EQ(client.enable(), 0);
	for (unsigned long place : places)
		ASSERT_EQ(client.map(page * iova++, user + place * page, page), 0);
	ASSERT_EQ(client.unmap(0, iova * page), 0);
	EXPECT_EQ(kernel.all_pins(), 0);
	for (unsigned long place : places)
		EXPECT_TRUE(kernel.is_dirty(process.physical(user + place * page)));
}

TEST_F(V1, EveryPageOfAKernelPageHasAPinOfItsOwn)
{
	constexpr unsigned long page = fake::page_size;

	ASSERT_EQ(client.enable(), 0);
	/* All but the first and the last 4K of three kernel pages. */
	ASSERT_EQ(client.map(0, user + page_4k, 3 * page - 2 * page_4k), 0);
	EXPECT_EQ(pins(user + page), long(page / page_4k));
	EXPECT_EQ(kernel.all_pins(), long((3 * page - 2 * page_4k) / page_4k));
	for (unsigned long at = 0; at < 3 * page - 2 * page_4k; at += page_4k)
		expect_entry(at, user + page_4k + at);

	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(kernel.all_pins(), long((3 * page - 3 * page_4k) / page_4k));
}

/* QEMU and others map the same memory at several places. */
TEST_F(V1, APageCanBeMappedTwice)
{
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	ASSERT_EQ(client.map(page_4k, user, page_4k), 0);
	EXPECT_EQ(pins(user), 2);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(pins(user), 1);
	expect_entry(page_4k, user);
}

TEST_F(V1, ALiveIovaIsRemappedAndTheOldPageReleased)
{
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.map(0, user + 2 * MiB, MiB), 0);
	EXPECT_EQ(kernel.all_pins(), long(MiB / page_4k));
	EXPECT_EQ(pins(user), 0);
	expect_entry(0, user + 2 * MiB);
	/* With itself, too. */
	ASSERT_EQ(client.map(0, user + 2 * MiB, MiB), 0);
	EXPECT_EQ(kernel.all_pins(), long(MiB / page_4k));
}

TEST_F(V1, OnlyWhatTheDeviceMayHaveWrittenIsDirty)
{
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, page_4k, read_only), 0);
	ASSERT_EQ(client.map(page_4k, user + MiB, page_4k, write_only), 0);
	ASSERT_EQ(client.map(2 * page_4k, user + 2 * MiB, page_4k, read_write), 0);
	EXPECT_FALSE(kernel.is_dirty(process.physical(user + MiB)));
	client.close();
	EXPECT_FALSE(kernel.is_dirty(process.physical(user)));
	EXPECT_TRUE(kernel.is_dirty(process.physical(user + MiB)));
	EXPECT_TRUE(kernel.is_dirty(process.physical(user + 2 * MiB)));
}

TEST_F(V1, ReadOnlyMemoryIsForDevicesThatOnlyRead)
{
	process.memory.back().writable = false;
	ASSERT_EQ(client.enable(), 0);
	EXPECT_EQ(client.map(0, user, page_4k, write_only), -EFAULT);
	EXPECT_EQ(client.map(0, user, page_4k, read_write), -EFAULT);
	EXPECT_EQ(client.map(0, user, page_4k, read_only), 0);
}

/* D15: what was mapped before stays, wherever the memory turns out to end. */
TEST_F(V1, D15AMapThatFailsChangesNothing)
{
	constexpr unsigned long page = fake::page_size;

	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, 64 * page), 0);

	fake::Tces before = table()->entries();
	long pins_before = kernel.all_pins();

	for (unsigned long pages : { 1, 2, 63, 64 }) {
		EXPECT_EQ(client.map(0, user + memory_size - pages * page + page, pages * page),
			  -EFAULT);
		EXPECT_EQ(table()->entries(), before);
		EXPECT_EQ(kernel.all_pins(), pins_before);
	}
	kernel.failures.fail(fake::Point::PinPages, 2);
	EXPECT_EQ(client.map(0, user + MiB, 4 * MiB), -EFAULT);
	kernel.failures.fail(fake::Point::AllocArray);
	EXPECT_EQ(client.map(0, user + MiB, 4 * MiB), -ENOMEM);
	EXPECT_EQ(table()->entries(), before);
	EXPECT_EQ(kernel.all_pins(), pins_before);
}

/* D14: the stock driver leaves a page pinned that is too small for the IOMMU page. */
TEST_F(V1, D14APageThatIsRefusedIsNotPinned)
{
	tce::PinnedCensus census;
	tce::Result<tce::PinnedPages> pages = tce::PinnedPages::pin(
		census, tce::UserAddr(user), tce::Entries(1), tce::PageShift(KERNEL_PAGE_SHIFT + 4),
		tce::Direction::Bidirectional);

	ASSERT_TRUE(pages.is_error());
	EXPECT_EQ(pages.error().as_kernel(), -EPERM);
	EXPECT_EQ(kernel.all_pins(), 0);
}

/*
 * One page of 4K from each of many kernel pages: where these are larger, they are more than the
 * window is charged for.
 */
class V1Scattered : public V1 {
protected:
	void SetUp() override
	{
		V1::SetUp();
		if (page == page_4k)
			GTEST_SKIP() << "pages are of one size";
		process.mmap(base, 2 * window_size);
		ASSERT_EQ(client.enable(), 0);
		/* Makes the window. */
		ASSERT_EQ(client.unmap(0, page_4k), 0);
		enabled = process.locked_vm;
		/* As many as are charged. */
		for (unsigned long i = 0; i < window_pages; ++i)
			ASSERT_EQ(map_one(i), 0);
		ASSERT_EQ(process.locked_vm, enabled);
	}

	/* Maps a part of kernel page @number at entry @number. */
	long map_one(unsigned long number)
	{
		return client.map(number * page_4k, base + number * page, page_4k);
	}

	static constexpr unsigned long page = fake::page_size;
	static constexpr unsigned long base = 64 * GiB;
	unsigned long enabled = 0;
};

TEST_F(V1Scattered, WhatIsPinnedIsCharged)
{
	for (unsigned long i = 1; i <= 10; ++i) {
		ASSERT_EQ(map_one(window_pages + i), 0);
		EXPECT_EQ(process.locked_vm, enabled + i);
	}
	/* More of pages that are pinned already costs nothing. */
	ASSERT_EQ(client.map(4 * window_pages * page_4k, base, 16 * page), 0);
	EXPECT_EQ(process.locked_vm, enabled + 10);
	ASSERT_EQ(client.unmap((window_pages + 1) * page_4k, 9 * page_4k), 0);
	EXPECT_EQ(process.locked_vm, enabled + 1);
	/* These are still mapped elsewhere. */
	ASSERT_EQ(client.unmap(0, 16 * page_4k), 0);
	EXPECT_EQ(process.locked_vm, enabled + 1);
	ASSERT_EQ(client.unmap(16 * page_4k, page_4k), 0);
	EXPECT_EQ(process.locked_vm, enabled);
	ASSERT_EQ(client.unmap(17 * page_4k, page_4k), 0);
	EXPECT_EQ(process.locked_vm, enabled);
	ASSERT_EQ(client.disable(), 0);
	EXPECT_EQ(kernel.all_pins(), 0);
}

TEST_F(V1Scattered, BeyondTheLimitNothingIsLeft)
{
	long pins = kernel.all_pins();

	process.locked_limit = enabled + 5;
	/* One call for all: the pages beyond follow each other. */
	EXPECT_EQ(client.map(window_pages * page_4k, base + window_pages * page, 6 * page),
		  -ENOMEM);
	EXPECT_EQ(process.locked_vm, enabled);
	EXPECT_EQ(kernel.all_pins(), pins);
	EXPECT_EQ(client.map(window_pages * page_4k, base + window_pages * page, 5 * page), 0);
	EXPECT_EQ(process.locked_vm, enabled + 5);
	client.close();
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_F(V1Scattered, APageThatCannotBeCountedIsNotMapped)
{
	long pins = kernel.all_pins();

	kernel.failures.fail(fake::Point::CountPage, 3);
	EXPECT_EQ(client.map(window_pages * page_4k, base + window_pages * page, 6 * page),
		  -ENOMEM);
	EXPECT_EQ(process.locked_vm, enabled);
	EXPECT_EQ(kernel.all_pins(), pins);
}

TEST_F(V1, CloseUnmapsUnpinsAndGivesTheChargeBack)
{
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, memory_size), 0);
	client.close();
	EXPECT_EQ(kernel.all_pins(), 0);
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_F(V1, WindowIsMadeWhenItIsNeeded)
{
	ASSERT_EQ(client.enable(), 0);
	EXPECT_EQ(table(), nullptr);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	ASSERT_NE(table(), nullptr);
	EXPECT_EQ(table()->shape.page_shift, 12u);
	EXPECT_EQ(table()->shape.size << 12, window_size);
}

TEST_F(V1, UnmapNeedsNoMemory)
{
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	kernel.failures.fail_always(fake::Point::Alloc);
	kernel.failures.fail_always(fake::Point::AllocArray);
	kernel.failures.fail_always(view_allocation());
	EXPECT_EQ(client.unmap(0, window_size), 0);
	EXPECT_EQ(mapped_entries(), 0u);
}

/* The same process has registered the memory in a v2 container, and KVM knows it from there. */
class V1AndKvm : public V1 {
protected:
	void SetUp() override
	{
		V1::SetUp();
		client.checks_invalidation = false;
		ASSERT_EQ(v2.open(), 0);
		ASSERT_EQ(v2.attach(kernel.add_group()), 0);
		ASSERT_EQ(v2.register_memory(user, memory_size), 0);
		ASSERT_EQ(client.enable(), 0);
		ASSERT_EQ(client.map(0, user, 4 * page_4k), 0);
	}

	void TearDown() override
	{
		v2.close();
		V1::TearDown();
	}

	bool put_tce(unsigned long index, unsigned long address)
	{
		return fake::kvm_put_tce(*table(), process, index, address);
	}

	Client v2;
};

/*
 * KVM has to leave what is pinned to the user, who comes with UNMAP_DMA. It can map in the kernel's
 * tables, where each kind of entry is taken for what it is.
 */
TEST_F(V1AndKvm, TakesNothingOutAndNothingForAnotherKind)
{
	fake::Tces before = table()->entries();

	EXPECT_FALSE(put_tce(0, 0));
	EXPECT_TRUE(put_tce(9, 0)); /* nothing is there */
	EXPECT_EQ(table()->entries(), before);

	EXPECT_EQ(put_tce(8, user + MiB), uses_kernel_tables());
	EXPECT_EQ(process.mapped(), uses_kernel_tables() ? 1 : 0);
	ASSERT_EQ(client.map(8 * page_4k, user, page_4k), 0);
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_EQ(kernel.all_pins(), long(memory_size / fake::page_size + 5));
	ASSERT_EQ(client.unmap(0, window_size), 0);
	EXPECT_EQ(mapped_entries(), 0u);
	EXPECT_EQ(v2.unregister_memory(user, memory_size), 0);
	EXPECT_EQ(kernel.all_pins(), 0);
}

/* Half of what KVM does to unmap: the page is out of the table, and will be back. */
TEST_F(V1AndKvm, APageThatKvmHasTakenOutStaysPinned)
{
	long pins_before = kernel.all_pins();
	unsigned long hpa = 0;
	unsigned int direction = KERNEL_DMA_NONE;

	ASSERT_EQ(table()->exchange(0, &hpa, &direction), 0);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	/* Our own table has not been changed by KVM, and so could be by the user. */
	EXPECT_EQ(kernel.all_pins(), pins_before - (uses_kernel_tables() ? 0 : 1));
	ASSERT_EQ(table()->exchange(0, &hpa, &direction), 0);
	ASSERT_EQ(client.unmap(0, 4 * page_4k), 0);
	EXPECT_EQ(kernel.all_pins(), pins_before - 4);
}

} /* namespace */

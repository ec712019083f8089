// SPDX-License-Identifier: GPL-2.0-only
/* MAP_DMA and UNMAP_DMA in the default window. */
#include "host_test.h"

namespace {

class Map : public HostTest {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		register_all();
		window_size = group.data->limits.tce32_size;
	}

	unsigned long window_size = 0;
};

TEST_F(Map, EachPageHasItsEntry)
{
	ASSERT_EQ(client.map(8 * page_4k, user + MiB, 3 * page_4k), 0);

	EXPECT_EQ(mapped_entries(), 3u);
	for (unsigned long at = 0; at < 3 * page_4k; at += page_4k)
		expect_mapped(8 * page_4k + at, user + MiB + at);
	EXPECT_EQ(process.mapped(), 3);
}

TEST_F(Map, InvalidatesByTheRunAndNotByThePage)
{
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	unsigned long before = group.data->invalidations;

	ASSERT_EQ(client.map(8 * page_4k, user, 750 * page_4k), 0);
	EXPECT_EQ(group.data->invalidations, before + 1);
	ASSERT_EQ(client.unmap(0, window_size), 0);
	EXPECT_LE(group.data->invalidations, before + 10);
}

TEST_F(Map, MapsTheWholeWindowPieceByPiece)
{
	for (unsigned long iova = 0; iova < window_size; iova += memory_size)
		ASSERT_EQ(client.map(iova, user, memory_size), 0);

	EXPECT_EQ(mapped_entries(), window_size / page_4k);
	ASSERT_EQ(client.unmap(0, window_size), 0);
	EXPECT_EQ(mapped_entries(), 0u);
	EXPECT_EQ(process.mapped(), 0);
}

TEST_F(Map, TakesTheDirectionsFromTheFlags)
{
	ASSERT_EQ(client.map(0, user, page_4k, read_only), 0);
	ASSERT_EQ(client.map(page_4k, user, page_4k, write_only), 0);
	ASSERT_EQ(client.map(2 * page_4k, user, page_4k, read_write), 0);

	fake::Tces entries = table()->entries();

	EXPECT_EQ(entries.at(0).direction, unsigned(KERNEL_DMA_TO_DEVICE));
	EXPECT_EQ(entries.at(1).direction, unsigned(KERNEL_DMA_BIDIRECTIONAL));
	EXPECT_EQ(entries.at(2).direction, unsigned(KERNEL_DMA_BIDIRECTIONAL));
}

TEST_F(Map, RefusesBadFlags)
{
	EXPECT_EQ(client.map(0, user, page_4k, 0), -EINVAL);
	EXPECT_EQ(client.map(0, user, page_4k, read_write | 4), -EINVAL);
	EXPECT_EQ(client.map(0, user, page_4k, ~0u), -EINVAL);
}

TEST_F(Map, WhatTheDeviceMayHaveWrittenIsDirtyAfterTheUnmap)
{
	ASSERT_EQ(client.map(0, user, page_4k, read_only), 0);
	ASSERT_EQ(client.map(page_4k, user + MiB, page_4k, write_only), 0);
	ASSERT_EQ(client.unmap(0, 2 * page_4k), 0);

	EXPECT_FALSE(kernel.is_dirty(process.physical(user)));
	EXPECT_TRUE(kernel.is_dirty(process.physical(user + MiB)));
}

/* D1: the stock driver checks the first page only. */
TEST_F(Map, D1RefusesToRunPastTheEndOfTheWindow)
{
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	fake::Tces before = table()->entries();

	EXPECT_EQ(client.map(window_size - 64 * KiB, user, 128 * KiB), -EINVAL);
	EXPECT_EQ(client.unmap(window_size - 64 * KiB, 128 * KiB), -EINVAL);
	EXPECT_EQ(client.map(page_4k, user, window_size), -EINVAL);
	EXPECT_EQ(client.map(0, user, -page_4k), -EINVAL);
	EXPECT_EQ(client.unmap(0, -page_4k), -EINVAL);
	EXPECT_EQ(table()->entries(), before);
	EXPECT_EQ(client.map(window_size - 64 * KiB, user, 64 * KiB), 0);
}

/* D17: the stock driver answers +1 to some of these. */
TEST_F(Map, D17RefusesWhatIsNotWholePages)
{
	EXPECT_EQ(client.map(1, user, page_4k), -EINVAL);
	EXPECT_EQ(client.map(0, user + 512, page_4k), -EINVAL);
	EXPECT_EQ(client.map(0, user, page_4k + 1), -EINVAL);
	EXPECT_EQ(client.map(0, user, 0), -EINVAL);
	EXPECT_EQ(client.unmap(512, page_4k), -EINVAL);
	EXPECT_EQ(client.unmap(0, page_4k - 1), -EINVAL);
	EXPECT_EQ(client.unmap(0, 0), -EINVAL);
}

TEST_F(Map, D17RefusesAddressesInNoWindow)
{
	EXPECT_EQ(client.map(window_size, user, page_4k), -ENXIO);
	EXPECT_EQ(client.unmap(window_size, page_4k), -ENXIO);
	EXPECT_EQ(client.map(-page_4k, user, page_4k), -ENXIO);
	EXPECT_EQ(client.map(fake::second_window_start, user, page_4k), -ENXIO);
}

TEST_F(Map, RefusesMemoryThatIsNotRegistered)
{
	EXPECT_EQ(client.map(0, user - page_4k, page_4k), -EINVAL);
	EXPECT_EQ(client.map(0, user + memory_size, page_4k), -EINVAL);
	EXPECT_EQ(client.map(0, 0, page_4k), -EINVAL);
	EXPECT_EQ(client.map(0, -page_4k, page_4k), -EINVAL);
	EXPECT_EQ(client.map(0, -page_4k, 2 * page_4k), -EINVAL);
	EXPECT_EQ(mapped_entries(), 0u);
}

TEST_F(Map, SpansRegionsThatFollowEachOther)
{
	process.mmap(user + memory_size, memory_size);
	ASSERT_EQ(client.register_memory(user + memory_size, memory_size), 0);

	ASSERT_EQ(client.map(0, user + memory_size - MiB, 2 * MiB), 0);
	expect_mapped(0, user + memory_size - MiB);
	expect_mapped(MiB, user + memory_size);
	EXPECT_EQ(client.unregister_memory(user, memory_size), -EBUSY);
	EXPECT_EQ(client.unregister_memory(user + memory_size, memory_size), -EBUSY);
	EXPECT_EQ(client.unmap(0, 2 * MiB), 0);
}

TEST_F(Map, ReplacesWhatIsMapped)
{
	ASSERT_EQ(client.map(0, user, 16 * page_4k), 0);
	ASSERT_EQ(client.map(4 * page_4k, user + MiB, 4 * page_4k), 0);

	EXPECT_EQ(mapped_entries(), 16u);
	EXPECT_EQ(process.mapped(), 16);
	expect_mapped(3 * page_4k, user + 3 * page_4k);
	expect_mapped(4 * page_4k, user + MiB);
	expect_mapped(8 * page_4k, user + 8 * page_4k);
}

TEST_F(Map, UnmappingWhatIsNotMappedSucceeds)
{
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	unsigned long before = group.data->invalidations;

	EXPECT_EQ(client.unmap(0, window_size), 0);
	EXPECT_EQ(group.data->invalidations, before);
}

TEST_F(Map, UnmapsPartsAndAcrossHoles)
{
	ASSERT_EQ(client.map(0, user, 8 * page_4k), 0);
	ASSERT_EQ(client.map(64 * page_4k, user, 8 * page_4k), 0);

	ASSERT_EQ(client.unmap(4 * page_4k, 64 * page_4k), 0);
	EXPECT_EQ(mapped_entries(), 8u);
	expect_mapped(3 * page_4k, user + 3 * page_4k);
	expect_mapped(68 * page_4k, user + 4 * page_4k);
}

TEST_F(Map, UnmapNeedsNoMemory)
{
	ASSERT_EQ(client.map(0, user, MiB), 0);
	kernel.failures.fail_always(fake::Point::Alloc);
	kernel.failures.fail_always(fake::Point::AllocArray);
	kernel.failures.fail_always(fake::Point::AllocLevel);
	kernel.failures.fail_always(view_allocation());

	EXPECT_EQ(client.unmap(0, window_size), 0);
	EXPECT_EQ(mapped_entries(), 0u);
}

} /* namespace */

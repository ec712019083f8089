// SPDX-License-Identifier: GPL-2.0-only
/* Two containers of one process that share registered regions. */
#include <thread>

#include "host_test.h"

namespace {

class SharedRegion : public HostTest {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		register_all();
		ASSERT_EQ(other.open(), 0);
		ASSERT_EQ(other.attach(other_group), 0);
		ASSERT_EQ(other.register_memory(user, memory_size), 0);
		pinned = process.physical(user);
	}

	void TearDown() override
	{
		other.close();
		HostTest::TearDown();
	}

	/* What another thread can do at any time: the last one lets go of the region. */
	void release_by_other()
	{
		std::thread([this] {
			fake::Kernel::set_current(&process);
			other.unregister_memory(user, memory_size);
		}).join();
	}

	iommu_group &other_group = kernel.add_group();
	Client other;
	unsigned long pinned = 0;
};

TEST_F(SharedRegion, IsReleasedByTheLastOfBoth)
{
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	EXPECT_TRUE(kernel.is_pinned(pinned));
	ASSERT_EQ(other.unregister_memory(user, memory_size), 0);
	EXPECT_FALSE(kernel.is_pinned(pinned));
}

TEST_F(SharedRegion, CannotBeUnregisteredByTheLastWhileTheOtherMapsIt)
{
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	EXPECT_EQ(other.unregister_memory(user, memory_size), -EBUSY);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(other.unregister_memory(user, memory_size), 0);
}

TEST_F(SharedRegion, OrphanIsReleasedWhenItsMapperCloses)
{
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	other.close();
	EXPECT_TRUE(kernel.is_pinned(pinned));
	client.close();
	EXPECT_FALSE(kernel.is_pinned(pinned));
}

TEST_F(SharedRegion, OrphanIsReleasedByTheNextClose)
{
	Client third;

	ASSERT_EQ(third.open(), 0);
	ASSERT_EQ(third.register_memory(user - 64 * KiB, 64 * KiB), -EFAULT);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	other.close();
	ASSERT_EQ(client.unmap(0, MiB), 0);
	EXPECT_TRUE(kernel.is_pinned(pinned));
	third.close();
	EXPECT_FALSE(kernel.is_pinned(pinned));
}

TEST_F(SharedRegion, OrphanStaysWhileItIsMapped)
{
	Client third;

	ASSERT_EQ(third.open(), 0);
	ASSERT_EQ(third.register_memory(user - 64 * KiB, 64 * KiB), -EFAULT);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	other.close();
	third.close();
	EXPECT_TRUE(kernel.is_pinned(pinned));
	/* The region can be used again as it is. */
	EXPECT_EQ(client.register_memory(user, memory_size), 0);
	EXPECT_EQ(client.map(MiB, user, MiB), 0);
}

TEST_F(SharedRegion, OrphansOfAnotherProcessAreLeftAlone)
{
	mm_struct stranger;
	Client third;

	ASSERT_EQ(client.map(0, user, page_4k), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	other.close();
	stranger.mmap(user, memory_size);
	fake::Kernel::set_current(&stranger);
	ASSERT_EQ(third.open(), 0);
	ASSERT_EQ(third.register_memory(user, memory_size), 0);
	third.close();
	EXPECT_TRUE(kernel.is_pinned(pinned));
	client.close();
	EXPECT_FALSE(kernel.is_pinned(pinned));
}

/*
 * A container is being closed and has found the orphan mapped, when its mapper is closed as well:
 * that was the last one who could have put it.
 */
TEST_F(SharedRegion, OrphanIsReleasedWhenItsMapperClosesInBetween)
{
	Client third;

	ASSERT_EQ(third.open(), 0);
	ASSERT_EQ(third.register_memory(user - 64 * KiB, 64 * KiB), -EFAULT);
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	other.close();
	kernel.at_next(fake::Hook::AfterRefusedPut, [this] { client.close(); });
	third.close();
	EXPECT_FALSE(kernel.is_pinned(pinned));
}

/* The same before the region has become an orphan. */
TEST_F(SharedRegion, RegionIsReleasedWhenItsMapperClosesBeforeItIsAnOrphan)
{
	ASSERT_EQ(client.map(0, user, MiB), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	kernel.at_next(fake::Hook::AfterRefusedPut, [this] { client.close(); });
	other.close();
	EXPECT_FALSE(kernel.is_pinned(pinned));
}

/* The page is marked while it is pinned, not when it may belong to somebody else. */
TEST_F(SharedRegion, PageIsMarkedDirtyBeforeItCanBeReleased)
{
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	kernel.at_next(fake::Hook::AfterUnmapping, [&] {
		group.data->invalidate_all();
		release_by_other();
	});
	EXPECT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_TRUE(kernel.is_dirty(pinned));
}

/* Memory stays pinned until no PHB can have an old TCE for it in its cache. */
TEST_F(SharedRegion, MemoryIsNotReleasedBeforeAnUnmapIsInvalidated)
{
	ASSERT_EQ(client.map(0, user, page_4k, read_only), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	kernel.at_next(fake::Hook::AfterUnmapping, [&] { release_by_other(); });
	EXPECT_EQ(client.unmap(0, page_4k), 0);
}

TEST_F(SharedRegion, MemoryIsNotReleasedBeforeARemapIsInvalidated)
{
	process.mmap(user + memory_size, MiB);
	ASSERT_EQ(client.register_memory(user + memory_size, MiB), 0);
	ASSERT_EQ(client.map(0, user, page_4k, read_only), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	kernel.at_next(fake::Hook::AfterUnmapping, [&] { release_by_other(); });
	EXPECT_EQ(client.map(0, user + memory_size, page_4k), 0);
}

TEST_F(SharedRegion, MemoryIsNotReleasedBeforeItsWindowIsGone)
{
	ASSERT_EQ(client.map(0, user, page_4k, read_only), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	kernel.at_next(fake::Hook::AfterUnmapping, [&] { release_by_other(); });
	EXPECT_EQ(client.remove(0), 0);
}

} /* namespace */

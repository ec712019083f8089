// SPDX-License-Identifier: GPL-2.0-only
/* Maps that fail: what was there before is untouched wherever the failure can be foreseen. */
#include "host_test.h"

namespace {

using fake::Point;

class MapFailure : public HostTest {
protected:
	/* A window with many leaves, in the first of which ten entries are mapped. */
	void SetUp() override
	{
		HostTest::SetUp();
		register_all();
		ASSERT_EQ(client.create(12, 1UL << 30, 2), 0);
		window = client.last_window;
		ASSERT_EQ(client.map(window, user, 10 * page_4k), 0);
		leaf = table(1)->shape.level_size * page_4k;
	}

	void expect_nothing_changed()
	{
		EXPECT_EQ(mapped_entries(1), 10u);
		for (unsigned long at = 0; at < 10 * page_4k; at += page_4k)
			expect_mapped(window + at, user + at, 1);
		EXPECT_EQ(process.mapped(), 10);
	}

	unsigned long window = 0;
	unsigned long leaf = 0;
};

/* D9: the stock driver stops early and returns 0. */
TEST_F(MapFailure, D9RegionThatIsGoingAwayIsAnErrorAndRolledBack)
{
	kernel.failures.fail(Point::CountMapping, 50);
	EXPECT_EQ(client.map(window + MiB, user, 100 * page_4k), -ENXIO);

	EXPECT_EQ(mapped_entries(1), 10u);
	EXPECT_EQ(process.mapped(), 10);
}

/* D10: the stock driver uses the level that it did not get. */
TEST_F(MapFailure, D10NoMemoryForTheViewChangesNothing)
{
	/* Across the border to a leaf that is not there yet. */
	kernel.failures.fail(view_allocation());
	EXPECT_EQ(client.map(window + leaf - 4 * page_4k, user, 8 * page_4k), -ENOMEM);
	expect_nothing_changed();
	EXPECT_EQ(client.map(window + leaf - 4 * page_4k, user, 8 * page_4k), 0);
}

/* D15: foreseen failures leave the older mappings as they are. */
TEST_F(MapFailure, D15UnregisteredTailChangesNothing)
{
	EXPECT_EQ(client.map(window, user + memory_size - MiB, MiB + page_4k), -EINVAL);
	expect_nothing_changed();
}

TEST_F(MapFailure, D15EndOutsideOfTheWindowChangesNothing)
{
	EXPECT_EQ(client.map(window, user, GiB + page_4k), -EINVAL);
	expect_nothing_changed();
}

TEST_F(MapFailure, D15HoleBetweenRegionsChangesNothing)
{
	process.mmap(user + memory_size + MiB, MiB);
	ASSERT_EQ(client.register_memory(user + memory_size + MiB, MiB), 0);

	EXPECT_EQ(client.map(window, user + memory_size - MiB, 3 * MiB), -EINVAL);
	expect_nothing_changed();
}

TEST_F(MapFailure, NoMemoryForALevelOfTheTableIsRolledBack)
{
	kernel.failures.fail(Point::AllocLevel);
	EXPECT_EQ(client.map(window + leaf - page_4k, user, 2 * page_4k), -ENOMEM);

	EXPECT_EQ(mapped_entries(1), 10u);
	EXPECT_EQ(process.mapped(), 10);
	EXPECT_EQ(client.map(window + leaf - page_4k, user, 2 * page_4k), 0);
}

TEST_F(MapFailure, EveryPageCanBeTheOneThatFails)
{
	constexpr unsigned long pages = 20;

	for (unsigned long nth = 1; nth <= pages; ++nth) {
		kernel.failures.fail(Point::CountMapping, nth);
		EXPECT_EQ(client.map(window + leaf - 10 * page_4k, user, pages * page_4k), -ENXIO);
		EXPECT_EQ(mapped_entries(1), 10u) << nth;
	}
	EXPECT_EQ(client.map(window + leaf - 10 * page_4k, user, pages * page_4k), 0);
}

TEST_F(MapFailure, RollbackLeavesNoOldMappingHalfCounted)
{
	kernel.failures.fail(Point::CountMapping, 6);
	EXPECT_EQ(client.map(window, user + MiB, 10 * page_4k), -ENXIO);

	/* Entries 0 to 4 had been replaced and are gone; 5 to 9 are as before. */
	EXPECT_EQ(mapped_entries(1), 5u);
	EXPECT_EQ(process.mapped(), 5);
	expect_mapped(window + 5 * page_4k, user + 5 * page_4k, 1);
}

TEST_F(MapFailure, NoMemoryForThePendingDefaultWindow)
{
	Client other;
	iommu_group &other_group = kernel.add_group();

	ASSERT_EQ(other.open(), 0);
	ASSERT_EQ(other.attach(other_group), 0);
	ASSERT_EQ(other.register_memory(user, memory_size), 0);
	for (Point point : { Point::Alloc, Point::ChargeLocked, Point::CreateTable }) {
		kernel.failures.fail(point);
		EXPECT_EQ(other.map(0, user, page_4k), -ENOMEM);
	}
	kernel.failures.fail(Point::SetWindow);
	EXPECT_EQ(other.unmap(0, page_4k), -EIO);
	EXPECT_EQ(other_group.data->tables[0], nullptr);
	EXPECT_EQ(other.map(0, user, page_4k), 0);
}

} /* namespace */

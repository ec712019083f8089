// SPDX-License-Identifier: GPL-2.0-only
/* Windows whose tables have several levels. */
#include "host_test.h"

namespace {

class MultiLevel : public HostTest, public testing::WithParamInterface<unsigned int> {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		register_all();
		ASSERT_EQ(client.create(12, size, GetParam()), 0);
		window = client.last_window;
		leaf = table(1)->leaf_size() * page_4k;
	}

	static constexpr unsigned long size = 1UL << 40;
	unsigned long window = 0;
	unsigned long leaf = 0;
};

TEST_P(MultiLevel, MapsAcrossTheBordersOfLeaves)
{
	unsigned long iova = window + leaf - 2 * page_4k;

	ASSERT_EQ(client.map(iova, user, 4 * page_4k), 0);
	for (unsigned long at = 0; at < 4 * page_4k; at += page_4k)
		expect_mapped(iova + at, user + at, 1);
	ASSERT_EQ(client.unmap(iova + page_4k, 2 * page_4k), 0);
	EXPECT_EQ(mapped_entries(1), 2u);
}

/* D5: the stock driver wraps to entry 0. */
TEST_P(MultiLevel, D5RefusesToRunPastTheEnd)
{
	EXPECT_EQ(client.map(window + size - page_4k, user, 2 * page_4k), -EINVAL);
	EXPECT_EQ(client.map(window + size, user, page_4k), -ENXIO);
	EXPECT_EQ(mapped_entries(1), 0u);
	EXPECT_EQ(client.map(window + size - page_4k, user, page_4k), 0);
	expect_mapped(window + size - page_4k, user, 1);
}

TEST_P(MultiLevel, UnmappingAnEmptyWindowAllocatesNothing)
{
	kernel.failures.fail_always(fake::Point::AllocLevel);
	kernel.failures.fail_always(fake::Point::AllocView);
	EXPECT_EQ(client.unmap(window, size), 0);
	EXPECT_EQ(mapped_entries(1), 0u);
}

TEST_P(MultiLevel, ViewIsMadeByTheFirstMapOnly)
{
	EXPECT_FALSE(table(1)->has_view(window / page_4k));
	ASSERT_EQ(client.map(window, user, page_4k), 0);
	EXPECT_TRUE(table(1)->has_view(window / page_4k));
	EXPECT_FALSE(table(1)->has_view((window + leaf) / page_4k));
}

TEST_P(MultiLevel, RemovesWhatIsMappedInDistantLeaves)
{
	ASSERT_EQ(client.map(window, user, MiB), 0);
	ASSERT_EQ(client.map(window + size / 2, user, MiB), 0);
	ASSERT_EQ(client.map(window + size - MiB, user, MiB), 0);
	EXPECT_EQ(process.mapped(), static_cast<long>(3 * MiB / page_4k));

	EXPECT_EQ(client.remove(window + size / 2), 0);
	EXPECT_EQ(process.mapped(), 0);
}

INSTANTIATE_TEST_SUITE_P(Levels, MultiLevel, testing::Values(2u, 3u));

} /* namespace */

// SPDX-License-Identifier: GPL-2.0-only
/* Windows with IOMMU pages larger than the kernel's. */
#include "host_test.h"

namespace {

using fake::Backing;

constexpr unsigned int shift_2m = 21;

class LargePages : public HostTest {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		if (uses_kernel_tables()) {
			ASSERT_EQ(client.create(shift_2m, GiB, 1), -EINVAL);
			GTEST_SKIP()
				<< "KVM cannot be kept from large pages in the kernel's tables";
		}
		ASSERT_EQ(client.create(shift_2m, GiB, 1), 0);
		window = client.last_window;
	}

	/* Fresh memory of @size bytes at @start, registered in one region. */
	void add(unsigned long start, unsigned long size, Backing backing,
		 unsigned int shift = shift_2m)
	{
		process.mmap(start, size, backing, shift);
		ASSERT_EQ(client.register_memory(start, size), 0);
	}

	static constexpr unsigned long large = 8 * GiB;
	unsigned long window = 0;
};

TEST_F(LargePages, MapsHugetlbMemory)
{
	add(large, 8 * MiB, Backing::HugeTlb);

	ASSERT_EQ(client.map(window, large + 2 * MiB, 4 * MiB), 0);
	EXPECT_EQ(mapped_entries(1), 2u);
	expect_mapped(window, large + 2 * MiB, 1);
	EXPECT_EQ(process.mapped(), 2);
}

TEST_F(LargePages, MapsHugetlbPagesThatAreLargerStill)
{
	add(large, 32 * MiB, Backing::HugeTlb, 24);

	EXPECT_EQ(client.map(window, large + 2 * MiB, 30 * MiB), 0);
	EXPECT_EQ(mapped_entries(1), 15u);
}

TEST_F(LargePages, RefusesSmallPages)
{
	add(large, 8 * MiB, Backing::SmallPages, shift_2m);

	EXPECT_EQ(client.map(window, large, 2 * MiB), -EINVAL);
}

/* The kernel may split these under a TCE. */
TEST_F(LargePages, RefusesTransparentHugepages)
{
	add(large, 8 * MiB, Backing::TransparentHugePages);

	EXPECT_EQ(client.map(window, large, 2 * MiB), -EINVAL);
}

/* The kernel's own check is satisfied with a region that only begins with hugetlb memory. */
TEST_F(LargePages, RefusesTheSmallPagesOfAMixedRegion)
{
	process.mmap(large, 4 * MiB, Backing::HugeTlb, shift_2m);
	process.mmap(large + 4 * MiB, 4 * MiB, Backing::SmallPages, shift_2m);
	ASSERT_EQ(client.register_memory(large, 8 * MiB), 0);

	EXPECT_EQ(client.map(window, large, 8 * MiB), -EINVAL);
	EXPECT_EQ(client.map(window, large + 4 * MiB, 2 * MiB), -EINVAL);
	EXPECT_EQ(mapped_entries(1), 0u);
	EXPECT_EQ(client.map(window, large, 4 * MiB), 0);
}

/* What is found of one part says nothing of another one. */
TEST_F(LargePages, LooksAtEveryPart)
{
	process.mmap(large, 4 * MiB, Backing::HugeTlb, shift_2m);
	process.mmap(large + 4 * MiB, 2 * MiB, Backing::SmallPages, shift_2m);
	process.mmap(large + 6 * MiB, 6 * MiB, Backing::HugeTlb, shift_2m);
	ASSERT_EQ(client.register_memory(large, 12 * MiB), 0);

	for (int round = 0; round < 3; ++round) {
		EXPECT_EQ(client.map(window, large, 2 * MiB), 0);
		EXPECT_EQ(client.map(window, large + 2 * MiB, 2 * MiB), 0);
		EXPECT_EQ(client.map(window, large + 2 * MiB, 4 * MiB), -EINVAL);
		EXPECT_EQ(client.map(window, large + 6 * MiB, 6 * MiB), 0);
		EXPECT_EQ(client.map(window, large + 8 * MiB, 4 * MiB), 0);
		EXPECT_EQ(client.map(window, large + 4 * MiB, 8 * MiB), -EINVAL);
		EXPECT_EQ(client.map(window, large + 4 * MiB, 2 * MiB), -EINVAL);
		EXPECT_EQ(client.map(window, large, 12 * MiB), -EINVAL);
	}
}

TEST_F(LargePages, RefusesHugetlbPagesThatAreTooSmall)
{
	add(large, 8 * MiB, Backing::HugeTlb, 18);

	EXPECT_EQ(client.map(window, large, 2 * MiB), -EINVAL);
}

TEST_F(LargePages, RefusesRegionsThatEndWithinAPage)
{
	add(large, 4 * MiB, Backing::HugeTlb);
	process.mmap(large + 4 * MiB, MiB, Backing::SmallPages);
	ASSERT_EQ(client.register_memory(large + 4 * MiB, MiB), 0);

	EXPECT_EQ(client.map(window, large + 2 * MiB, 4 * MiB), -EINVAL);
	EXPECT_EQ(client.map(window, large + 4 * MiB, 2 * MiB), -EINVAL);
}

TEST_F(LargePages, AddressesAreMultiplesOfTheLargePage)
{
	add(large, 8 * MiB, Backing::HugeTlb);

	EXPECT_EQ(client.map(window + page_4k, large, 2 * MiB), -EINVAL);
	EXPECT_EQ(client.map(window, large + MiB, 2 * MiB), -EINVAL);
	EXPECT_EQ(client.map(window, large, MiB), -EINVAL);
	EXPECT_EQ(client.unmap(window, MiB), -EINVAL);
}

/* Small IOMMU pages into large memory are no problem. */
TEST_F(LargePages, SmallWindowMapsHugetlbMemory)
{
	add(large, 4 * MiB, Backing::HugeTlb);

	EXPECT_EQ(client.map(0, large + page_4k, 2 * MiB), 0);
	expect_mapped(0, large + page_4k);
}

} /* namespace */

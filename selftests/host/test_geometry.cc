// SPDX-License-Identifier: GPL-2.0-only
/* Which entries a table has, and how they are spread over its levels. */
#include <gtest/gtest.h>

#include "arch/powerpc/tce/level_shape.h"
#include "arch/powerpc/tables/table.h"

namespace {

using kcxx::Errno;
using kcxx::Error;
using tce::Bytes;
using tce::Entries;
using tce::Geometry;
using tce::Ioba;
using tce::TceIndex;

/* 1024 entries of 64 KiB at 1 MiB. */
constexpr Geometry small({ .offset = 16,
			   .size = 1024,
			   .page_shift = 16,
			   .indirect_levels = 0,
			   .level_size = 1024,
			   .node = 0,
			   .base = nullptr });

/* The very last entries that there can be. */
constexpr Geometry last({ .offset = (1UL << 52) - 16,
			  .size = 16,
			  .page_shift = 12,
			  .indirect_levels = 1,
			  .level_size = 4,
			  .node = 1,
			  .base = nullptr });

/* All of it is known when it is compiled. */
static_assert(small.start() == Ioba(1 << 20));
static_assert(small.entries().end() == TceIndex(1040));
static_assert(small.contains(Ioba((65 << 20) - 1)) && !small.contains(Ioba(65 << 20)));
static_assert(small.range(Ioba(1 << 20), Bytes(65536)).value().count == Entries(1));
static_assert(small.range(Ioba(1 << 20), Bytes(4096)).error() == Error(Errno::Invalid));
static_assert(last.range(Ioba(-4096UL), Bytes(4096)).value().end() == TceIndex(1UL << 52));
static_assert(last.level_shift() == 2);
static_assert(last.left_in_block(TceIndex((1UL << 52) - 1), 2) == Entries(1));
static_assert(
	tce::LevelShape::of_window({ .page_shift = 12, .size = Bytes(1UL << 54), .levels = 3 })
		.total_size() == Bytes((1UL << 45) + (1UL << 31) + (1UL << 17)));
static_assert(tce::LevelShape::of_least_blocks(0).levels() == 1);

TEST(Geometry, TellsItsShape)
{
	EXPECT_EQ(small.page(), tce::PageShift(16));
	EXPECT_EQ(small.start(), Ioba(1 << 20));
	EXPECT_EQ(small.entries().first, TceIndex(16));
	EXPECT_EQ(small.entries().end(), TceIndex(1040));
	EXPECT_EQ(small.place(TceIndex(17)), tce::Place(1));
	EXPECT_EQ(small.indirect_levels(), 0u);
	EXPECT_EQ(last.indirect_levels(), 1u);
	EXPECT_EQ(last.level_shift(), 2u);
	EXPECT_EQ(last.node(), 1);
}

TEST(Geometry, ContainsItsAddresses)
{
	EXPECT_FALSE(small.contains(Ioba(0)));
	EXPECT_FALSE(small.contains(Ioba((1 << 20) - 1)));
	EXPECT_TRUE(small.contains(Ioba(1 << 20)));
	EXPECT_TRUE(small.contains(Ioba((65 << 20) - 1)));
	EXPECT_FALSE(small.contains(Ioba(65 << 20)));
	EXPECT_FALSE(small.contains(Ioba(~0UL)));
	EXPECT_TRUE(last.contains(Ioba(~0UL)));
}

TEST(Geometry, RangesOfWholePagesInside)
{
	tce::EntryRange range = small.range(Ioba(1 << 20), Bytes(64 << 20)).value();

	EXPECT_EQ(range.first, TceIndex(16));
	EXPECT_EQ(range.count, Entries(1024));
	range = small.range(Ioba((65 << 20) - 65536), Bytes(65536)).value();
	EXPECT_EQ(range.first, TceIndex(1039));
	EXPECT_EQ(range.count, Entries(1));
	range = last.range(Ioba(-65536UL), Bytes(65536)).value();
	EXPECT_EQ(range.count, Entries(16));
}

TEST(Geometry, RefusesOtherRanges)
{
	struct {
		unsigned long start;
		unsigned long size;
	} const bad[] = {
		{ 1 << 20, 0 },
		{ 1 << 20, 4096 },
		{ 1 << 20, 65536 + 1 },
		{ (1 << 20) + 4096, 65536 },
		{ (1 << 20) - 65536, 2 * 65536 },
		{ 65 << 20, 65536 },
		{ (65 << 20) - 65536, 2 * 65536 },
		{ 1 << 20, (64 << 20) + 65536 },
		{ 1 << 20, -65536UL },
		{ -65536UL, 65536 },
	};

	for (auto [start, size] : bad) {
		auto range = small.range(Ioba(start), Bytes(size));

		ASSERT_TRUE(range.is_error()) << start << " " << size;
		EXPECT_EQ(range.error(), Error(Errno::Invalid));
	}
	EXPECT_TRUE(last.range(Ioba(-4096UL), Bytes(8192)).is_error());
}

TEST(Geometry, BlocksAreCountedFromTheFirstEntry)
{
	EXPECT_EQ(small.left_in_block(TceIndex(16), 2), Entries(4));
	EXPECT_EQ(small.left_in_block(TceIndex(19), 2), Entries(1));
	EXPECT_EQ(small.left_in_block(TceIndex(20), 2), Entries(4));
	EXPECT_EQ(small.left_in_block(TceIndex(17), 10), Entries(1023));
	EXPECT_EQ(small.left_in_block(TceIndex(17), 40), Entries(1023));
	EXPECT_EQ(small.left_in_block(TceIndex(17), 64), Entries(1023));
}

TEST(LevelShape, LevelsShareTheEntries)
{
	tce::LevelShape one = tce::LevelShape::of_window(
		{ .page_shift = 12, .size = Bytes(1UL << 40), .levels = 1 });
	tce::LevelShape three = tce::LevelShape::of_window(
		{ .page_shift = 12, .size = Bytes(1UL << 54), .levels = 3 });

	EXPECT_EQ(one.entries_shift(), 28u);
	EXPECT_EQ(one.shift(), 28u);
	EXPECT_EQ(one.total_size(), Bytes(1UL << 31));
	EXPECT_FALSE(one.is_allocatable());
	EXPECT_EQ(three.levels(), 3u);
	EXPECT_EQ(three.shift(), 14u);
	EXPECT_TRUE(three.is_allocatable());
	EXPECT_EQ(three.total_size(), Bytes((1UL << 45) + (1UL << 31) + (1UL << 17)));
}

TEST(LevelShape, BlockIsAPageAtLeast)
{
	tce::LevelShape shape =
		tce::LevelShape::of_window({ .page_shift = 12, .size = Bytes(4096), .levels = 2 });

	EXPECT_EQ(shape.entries_shift(), 0u);
	EXPECT_EQ(shape.shift(), KERNEL_PAGE_SHIFT - 3u);
	EXPECT_EQ(shape.total_size(), Bytes(2UL << KERNEL_PAGE_SHIFT));
}

TEST(LevelShape, LeastBlocksNeedAsManyLevels)
{
	constexpr unsigned int block = KERNEL_PAGE_SHIFT - 3;

	EXPECT_EQ(tce::LevelShape::of_least_blocks(0).levels(), 1u);
	EXPECT_EQ(tce::LevelShape::of_least_blocks(block).levels(), 1u);
	EXPECT_EQ(tce::LevelShape::of_least_blocks(block + 1).levels(), 2u);
	EXPECT_EQ(tce::LevelShape::of_least_blocks(3 * block).levels(), 3u);
	EXPECT_EQ(tce::LevelShape::of_least_blocks(3 * block).shift(), block);
}

/* The table in Documentation/guide.rst, "How much locked memory". */
TEST(LevelShape, ChargeOfWindowsIsAsTheGuideSays)
{
	constexpr unsigned long KiB = 1024, MiB = 1UL << 20, GiB = 1UL << 30, TiB = 1UL << 40;
	struct {
		tce::WindowShape window;
		unsigned long kib_4k;
		unsigned long kib_64k;
	} const rows[] = {
		{ { .page_shift = 12, .size = Bytes(64 * MiB), .levels = 1 }, 260, 320 },
		{ { .page_shift = 12, .size = Bytes(2 * GiB), .levels = 1 }, 8204, 8256 },
		{ { .page_shift = 12, .size = Bytes(2 * GiB), .levels = 2 }, 8212, 8320 },
		{ { .page_shift = 16, .size = Bytes(2 * GiB), .levels = 1 }, 516, 576 },
		{ { .page_shift = 12, .size = Bytes(TiB), .levels = 2 }, 4198540, 4194752 },
		{ { .page_shift = 12, .size = Bytes(TiB), .levels = 3 }, 4200468, 4194944 },
		{ { .page_shift = 16, .size = Bytes(TiB), .levels = 2 }, 262436, 262272 },
		{ { .page_shift = 21, .size = Bytes(TiB), .levels = 1 }, 8204, 8256 },
		{ { .page_shift = 24, .size = Bytes(TiB), .levels = 1 }, 1028, 1088 },
		{ { .page_shift = 30, .size = Bytes(TiB), .levels = 1 }, 20, 128 },
		{ { .page_shift = 16, .size = Bytes(64 * TiB), .levels = 3 }, 16801836, 16779392 },
		{ { .page_shift = 21, .size = Bytes(64 * TiB), .levels = 2 }, 524868, 524416 },
	};

	for (const auto &row : rows) {
		tce::LevelShape tces = tce::LevelShape::of_window(row.window);
		tce::LevelShape view = tce::LevelShape::of_least_blocks(tces.entries_shift());
		unsigned long kib = KERNEL_PAGE_SHIFT == 12 ? row.kib_4k : row.kib_64k;

		EXPECT_TRUE(tces.is_allocatable());
		EXPECT_EQ(tces.total_size() + view.total_size(), Bytes(kib * KiB));
	}
}

} /* namespace */

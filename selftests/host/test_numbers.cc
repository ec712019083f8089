// SPDX-License-Identifier: GPL-2.0-only
/* Checked arithmetic, units, the big-endian word, and the units of TCE tables. */
#include <cstring>

#include <gtest/gtest.h>

#include "arch/powerpc/tce/tce_format.h"
#include "arch/powerpc/tce/tce_types.h"
#include "kcxx/big_endian.h"
#include "kcxx/checked.h"
#include "kcxx/units.h"

namespace {

using kcxx::Errno;
using kcxx::Error;

constexpr unsigned long all_ones = ~0UL;

TEST(Checked, AdditionReportsOverflow)
{
	EXPECT_EQ(kcxx::checked_add(1UL, 2).value(), 3u);
	EXPECT_EQ(kcxx::checked_add(all_ones - 1, 1).value(), all_ones);
	EXPECT_EQ(kcxx::checked_add(all_ones, 1).error(), Error(Errno::Invalid));
	EXPECT_EQ(kcxx::checked_add(1, 2147483647).error(), Error(Errno::Invalid));
}

TEST(Checked, PowersOfTwo)
{
	EXPECT_FALSE(kcxx::is_power_of_two(0));
	EXPECT_TRUE(kcxx::is_power_of_two(1));
	EXPECT_TRUE(kcxx::is_power_of_two(1UL << 63));
	EXPECT_FALSE(kcxx::is_power_of_two(3));
	EXPECT_FALSE(kcxx::is_power_of_two(all_ones));
	EXPECT_EQ(kcxx::log2_floor(1), 0u);
	EXPECT_EQ(kcxx::log2_floor(4095), 11u);
	EXPECT_EQ(kcxx::log2_floor(4096), 12u);
	EXPECT_EQ(kcxx::log2_floor(all_ones), 63u);
}

TEST(Checked, DivisionRoundsUpWithoutOverflow)
{
	EXPECT_EQ(kcxx::divide_round_up(0, 8), 0u);
	EXPECT_EQ(kcxx::divide_round_up(1, 8), 1u);
	EXPECT_EQ(kcxx::divide_round_up(8, 8), 1u);
	EXPECT_EQ(kcxx::divide_round_up(9, 8), 2u);
	EXPECT_EQ(kcxx::divide_round_up(all_ones, 2), 1UL << 63);
}

using Amount = kcxx::Count<struct AmountTag>;
using Place = kcxx::Position<struct PlaceTag, Amount>;

static_assert(!std::is_convertible_v<unsigned long, Amount>);
static_assert(!std::is_convertible_v<Amount, unsigned long>);
static_assert(!std::is_convertible_v<Amount, Place>);
static_assert(!std::is_convertible_v<tce::Bytes, tce::Pages>);
static_assert(!std::is_convertible_v<tce::UserAddr, tce::Ioba>);

TEST(Units, AmountsAddUp)
{
	Amount amount(5);

	EXPECT_EQ(Amount().value(), 0u);
	EXPECT_EQ(amount + Amount(2), Amount(7));
	EXPECT_EQ(amount - Amount(2), Amount(3));
	amount += Amount(1);
	EXPECT_EQ(amount.value(), 6u);
	EXPECT_TRUE(amount > Amount(5) && amount >= Amount(6) && amount < Amount(7));
	EXPECT_NE(amount, Amount(5));
}

TEST(Units, PlacesMoveByAmounts)
{
	Place place(10);

	EXPECT_EQ(Place().value(), 0u);
	EXPECT_EQ(place + Amount(2), Place(12));
	EXPECT_EQ(place - Place(4), Amount(6));
	place += Amount(1);
	EXPECT_EQ(place.value(), 11u);
	EXPECT_TRUE(place > Place(10) && place <= Place(11));
	EXPECT_NE(place, Place(10));
}

TEST(Units, PlacesReportOverflow)
{
	EXPECT_EQ(Place(all_ones).checked_add(Amount(0)).value(), Place(all_ones));
	EXPECT_EQ(Place(all_ones).checked_add(Amount(1)).error(), Error(Errno::Invalid));
}

TEST(BigEndian, IsBigEndianInMemory)
{
	const unsigned char expected[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	unsigned char bytes[sizeof(kcxx::AtomicBigEndian)];
	kcxx::AtomicBigEndian word;

	word.store(0x0102030405060708);
	std::memcpy(bytes, &word, sizeof(bytes));
	EXPECT_EQ(std::memcmp(bytes, expected, sizeof(bytes)), 0);
	EXPECT_EQ(word.load(), 0x0102030405060708u);
}

TEST(BigEndian, OnlyOnePublishes)
{
	kcxx::AtomicBigEndian word;

	word.store(0);
	EXPECT_EQ(word.publish(7), 0u);
	EXPECT_EQ(word.publish(8), 7u);
	EXPECT_EQ(word.load_pointer(), 7u);
	word.store_word(kcxx::BigEndian(9));
	EXPECT_EQ(word.load(), 9u);
}

TEST(TceTypes, PageShift)
{
	constexpr tce::PageShift shift(16);

	EXPECT_EQ(shift.value(), 16u);
	EXPECT_EQ(shift.size(), tce::Bytes(65536));
	EXPECT_TRUE(shift.divides(0));
	EXPECT_TRUE(shift.divides(3 * 65536));
	EXPECT_FALSE(shift.divides(65536 + 4096));
	EXPECT_LT(tce::PageShift(12), shift);
	EXPECT_EQ(tce::PageShift(63).size(), tce::Bytes(1UL << 63));
}

TEST(TceTypes, PagesForBytes)
{
	unsigned long page = 1UL << KERNEL_PAGE_SHIFT;

	EXPECT_EQ(tce::pages_for(tce::Bytes(0)), tce::Pages(0));
	EXPECT_EQ(tce::pages_for(tce::Bytes(1)), tce::Pages(1));
	EXPECT_EQ(tce::pages_for(tce::Bytes(page)), tce::Pages(1));
	EXPECT_EQ(tce::pages_for(tce::Bytes(page + 1)), tce::Pages(2));
}

TEST(TceFormat, DecodesWhatItEncodes)
{
	using tce::Direction;
	const tce::HostPhys page(0x123456789000);

	for (Direction direction : { Direction::ToDevice, Direction::Bidirectional }) {
		unsigned long word = tce::encode_tce(page, tce::permissions(direction));

		EXPECT_EQ(tce::decode_direction(word), direction);
		EXPECT_EQ(tce::decode_page(word), page);
	}
	EXPECT_EQ(tce::encode_tce(page, tce::permissions(Direction::ToDevice)), 0x123456789001u);
	EXPECT_EQ(tce::permissions(Direction::FromDevice),
		  tce::permissions(Direction::Bidirectional));
	EXPECT_EQ(tce::permissions(Direction::None), tce::Permissions::None);
	EXPECT_EQ(tce::decode_direction(2), Direction::FromDevice);
	EXPECT_EQ(tce::decode_direction(0), Direction::None);
	EXPECT_EQ(tce::encode_level(page), 0x123456789003u);
}

TEST(TceFormat, OldEntryTellsWhatItHeld)
{
	auto old = [](unsigned long tce) { return tce::OldEntry(tce); };

	EXPECT_TRUE(tce::OldEntry().is_empty());
	EXPECT_TRUE(old(tce::encode_tce(tce::HostPhys(0x5000), tce::Permissions::None)).is_empty());
	EXPECT_FALSE(old(0x5001).is_empty());
	EXPECT_FALSE(old(0x5001).device_writes());
	EXPECT_TRUE(old(0x5002).device_writes());
	EXPECT_EQ(old(0x5003).page(), tce::HostPhys(0x5000));
}

} /* namespace */

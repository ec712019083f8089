// SPDX-License-Identifier: GPL-2.0-only
/* List and Vector. */
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "box.h"
#include "fake/kernel.h"
#include "kcxx/list.h"
#include "kcxx/vector.h"

namespace {

struct Member : kcxx::ListLinks<Member> {
	explicit Member(int value) : value(value) {}

	int value;
};

std::vector<int> values(const kcxx::List<Member> &list)
{
	std::vector<int> result;

	for (Member &member : list)
		result.push_back(member.value);
	return result;
}

TEST(List, KeepsTheOrderOfAppending)
{
	Member one(1), two(2), three(3);
	kcxx::List<Member> list;

	EXPECT_TRUE(list.is_empty());
	EXPECT_EQ(list.first(), nullptr);
	list.append(one);
	list.append(two);
	list.append(three);
	EXPECT_FALSE(list.is_empty());
	EXPECT_EQ(list.first(), &one);
	EXPECT_EQ(values(list), (std::vector{ 1, 2, 3 }));
}

TEST(List, RemovesAnywhere)
{
	Member one(1), two(2), three(3), four(4);
	kcxx::List<Member> list;

	for (Member *member : { &one, &two, &three, &four })
		list.append(*member);
	list.remove(two);
	EXPECT_EQ(values(list), (std::vector{ 1, 3, 4 }));
	list.remove(one);
	EXPECT_EQ(values(list), (std::vector{ 3, 4 }));
	list.remove(four);
	list.append(two);
	EXPECT_EQ(values(list), (std::vector{ 3, 2 }));
	list.remove(three);
	list.remove(two);
	EXPECT_TRUE(list.is_empty());
	list.append(one);
	EXPECT_EQ(values(list), std::vector{ 1 });
}

TEST(List, TheCurrentMemberCanBeDestroyedInALoop)
{
	kcxx::List<Member> list;

	for (int i = 0; i < 5; ++i)
		list.append(*new Member(i));
	for (Member &member : list) {
		list.remove(member);
		std::unique_ptr<Member> destroyed(&member);
	}
	EXPECT_TRUE(list.is_empty());
}

class Vector : public testing::Test {
protected:
	using Items = kcxx::Vector<Box>;

	void TearDown() override { kernel.check_balance(); }

	static void insert(Items &items, unsigned long index, int value)
	{
		ASSERT_FALSE(items.reserve_one().is_error());
		items.insert(index, Box(value));
	}

	static std::vector<int> values(const Items &items)
	{
		std::vector<int> result;

		for (unsigned long i = 0; i < items.size(); ++i)
			result.push_back(*items[i]);
		return result;
	}

	fake::Kernel kernel{ [](const std::string &what) { ADD_FAILURE() << what; } };
};

TEST_F(Vector, InsertsAndTakesAnywhere)
{
	Items items;

	insert(items, 0, 2);
	insert(items, 0, 0);
	insert(items, 1, 1);
	insert(items, 3, 3);
	EXPECT_EQ(values(items), (std::vector{ 0, 1, 2, 3 }));
	EXPECT_EQ(*items.take(1), 1);
	EXPECT_EQ(*items.take(2), 3);
	EXPECT_EQ(*items.take(0), 0);
	EXPECT_EQ(values(items), std::vector{ 2 });
}

TEST_F(Vector, Grows)
{
	Items items;
	std::vector<int> expected;

	for (int i = 0; i < 100; ++i) {
		insert(items, 0, i);
		expected.insert(expected.begin(), i);
	}
	EXPECT_EQ(values(items), expected);
}

TEST_F(Vector, FailsToGrowUnchanged)
{
	Items items;

	for (int i = 0; i < 8; ++i)
		insert(items, 0, i);
	kernel.failures.fail(fake::Point::AllocArray);
	EXPECT_EQ(items.reserve_one().error(), kcxx::Error(kcxx::Errno::NoMemory));
	EXPECT_EQ(items.size(), 8u);
	insert(items, 8, 8);
	EXPECT_EQ(values(items), (std::vector{ 7, 6, 5, 4, 3, 2, 1, 0, 8 }));
}

TEST_F(Vector, Moves)
{
	Items items;
	Items others;

	insert(items, 0, 1);
	insert(others, 0, 2);
	Items moved(kcxx::move(items));
	EXPECT_EQ(items.size(), 0u);
	moved = kcxx::move(others);
	EXPECT_EQ(values(moved), std::vector{ 2 });
	insert(items, 0, 3);
	EXPECT_EQ(values(items), std::vector{ 3 });
}

} /* namespace */

// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong to do with the types of kcxx is found where it is done. */
#include <gtest/gtest.h>

#include "box.h"
#include "fake/kernel.h"
#include "kcxx/owned.h"
#include "kcxx/owned_array.h"
#include "kcxx/ref.h"
#include "kcxx/result.h"
#include "kcxx/vector.h"

namespace {

struct Counted {
	int references = 0;
};

} /* namespace */

template <> struct kcxx::RefTraits<Counted> {
	static void get(Counted *object) { ++object->references; }
	static void put(Counted *object) { --object->references; }
};

namespace {

using kcxx::Errno;
using kcxx::Result;

class Check : public testing::Test {
protected:
	void TearDown() override { kernel.check_balance(); }

	fake::Kernel kernel{ [](const std::string &what) { ADD_FAILURE() << what; } };
};

using CheckDeathTest = Check;

TEST_F(CheckDeathTest, ResultHasNoValueBesideAnError)
{
	Result<int> number = Errno::Busy;
	Result<Box> box = Errno::Busy;
	Result<void> nothing = Errno::Busy;

	EXPECT_DEATH(number.value(), "does not hold: !is_error");
	EXPECT_DEATH(number.release_value(), "does not hold: !is_error");
	EXPECT_DEATH(box.value(), "does not hold: !is_error");
	EXPECT_DEATH(box.release_value(), "does not hold: !is_error");
	EXPECT_DEATH(nothing.release_value(), "does not hold: !is_error");
}

TEST_F(CheckDeathTest, ResultHasNoErrorBesideAValue)
{
	Result<int> number = 1;
	Result<Box> box = Box(1);
	Result<void> nothing;

	EXPECT_DEATH(kcxx::ignore(Result<void>(number.error())), "does not hold: is_error");
	EXPECT_DEATH(kcxx::ignore(Result<void>(box.error())), "does not hold: is_error");
	EXPECT_DEATH(kcxx::ignore(Result<void>(nothing.error())), "does not hold: is_error");
}

TEST_F(CheckDeathTest, NothingIsBehindAnEmptyPointer)
{
	kcxx::Owned<Counted> owned;
	kcxx::Ref<Counted> ref;

	EXPECT_DEATH(owned->references = 1, "does not hold: m_object");
	EXPECT_DEATH((*owned).references = 1, "does not hold: m_object");
	EXPECT_DEATH(ref->references = 1, "does not hold: m_object");
	EXPECT_DEATH(kcxx::Ref<Counted>::share(nullptr), "does not hold: object");
}

TEST_F(CheckDeathTest, ArraysEndWhereTheyEnd)
{
	kcxx::OwnedArray<int> array = kcxx::OwnedArray<int>::create(3).release_value();
	kcxx::Vector<int> vector;

	array[2] = 1;
	EXPECT_DEATH(array[3] = 1, "does not hold: index < m_size");
	EXPECT_DEATH(vector.insert(0, 1), "does not hold: index <= m_size && m_size < m_capacity");
	ASSERT_FALSE(vector.reserve_one().is_error());
	EXPECT_DEATH(vector.insert(1, 1), "does not hold: index <= m_size && m_size < m_capacity");
	vector.insert(0, 1);
	EXPECT_EQ(vector[0], 1);
	EXPECT_DEATH(vector[1] = 1, "does not hold: index < m_size");
	EXPECT_DEATH(vector.take(1), "does not hold: index < m_size");
}

} /* namespace */

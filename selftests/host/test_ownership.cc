// SPDX-License-Identifier: GPL-2.0-only
/* Owned, Ref, ScopeExit and the functions of utility.h. */
#include <gtest/gtest.h>

#include "fake/kernel.h"
#include "kcxx/owned.h"
#include "kcxx/ref.h"
#include "kcxx/scope_exit.h"
#include "kcxx/utility.h"

namespace {

struct Counted {
	explicit Counted(int &destroyed, int value = 0) : destroyed(destroyed), value(value) {}
	~Counted() { ++destroyed; }

	int &destroyed;
	int value;
	int references = 1;
};

} /* namespace */

template <> struct kcxx::RefTraits<Counted> {
	static void get(Counted *object) { ++object->references; }
	static void put(Counted *object) { --object->references; }
};

namespace {

using kcxx::Owned;
using kcxx::Ref;

class Ownership : public testing::Test {
protected:
	void TearDown() override { kernel.check_balance(); }

	fake::Kernel kernel{ [](const std::string &what) { ADD_FAILURE() << what; } };
	int destroyed = 0;
};

TEST_F(Ownership, OwnedDestroysItsObject)
{
	{
		Owned<Counted> owned = kcxx::make_owned<Counted>(destroyed, 3).release_value();

		EXPECT_TRUE(owned);
		EXPECT_EQ(owned->value, 3);
		EXPECT_EQ(&*owned, owned.get());
	}
	EXPECT_EQ(destroyed, 1);
}

TEST_F(Ownership, OwnedMovesAndReleases)
{
	Owned<Counted> first = kcxx::make_owned<Counted>(destroyed, 1).release_value();
	Owned<Counted> second = kcxx::make_owned<Counted>(destroyed, 2).release_value();
	Owned<Counted> empty;

	EXPECT_FALSE(empty);
	second = kcxx::move(first);
	EXPECT_EQ(destroyed, 1);
	EXPECT_FALSE(first);
	EXPECT_EQ(second->value, 1);

	Owned<Counted> third(kcxx::move(second));
	Counted *raw = third.release();

	EXPECT_FALSE(third);
	EXPECT_EQ(destroyed, 1);
	third = Owned<Counted>(raw);
	third = Owned<Counted>();
	EXPECT_EQ(destroyed, 2);
}

TEST_F(Ownership, OwnedReportsThatThereIsNoMemory)
{
	kernel.failures.fail(fake::Point::Alloc);
	EXPECT_EQ(kcxx::make_owned<Counted>(destroyed).error(), kcxx::Error(kcxx::Errno::NoMemory));
	EXPECT_EQ(destroyed, 0);
}

TEST_F(Ownership, RefCountsReferences)
{
	Counted object(destroyed);
	{
		Ref<Counted> adopted = Ref<Counted>::adopt(&object);
		Ref<Counted> shared = Ref<Counted>::share(adopted.get());
		Ref<Counted> empty;

		EXPECT_EQ(object.references, 2);
		EXPECT_FALSE(empty);
		empty = kcxx::move(shared);
		EXPECT_FALSE(shared);
		EXPECT_TRUE(empty);
		EXPECT_EQ(empty->references, 2);
		Ref<Counted> moved(kcxx::move(empty));
		EXPECT_EQ(object.references, 2);
		moved = Ref<Counted>();
		EXPECT_EQ(object.references, 1);
	}
	EXPECT_EQ(object.references, 0);
}

TEST(ScopeExit, UndoesUnlessDismissed)
{
	int undone = 0;
	{
		kcxx::ScopeExit armed([&] { ++undone; });
		kcxx::ScopeExit dismissed([&] { undone += 10; });

		dismissed.dismiss();
		EXPECT_EQ(undone, 0);
	}
	EXPECT_EQ(undone, 1);
}

TEST(Utility, MovesSwapsAndExchanges)
{
	int a = 1;
	int b = 2;

	kcxx::swap(a, b);
	EXPECT_EQ(a, 2);
	EXPECT_EQ(b, 1);
	EXPECT_EQ(kcxx::exchange(a, 5), 2);
	EXPECT_EQ(a, 5);
	static_assert(std::is_same_v<decltype(kcxx::move(a)), int &&>);
	static_assert(std::is_same_v<decltype(kcxx::forward<int &>(a)), int &>);
	static_assert(std::is_same_v<decltype(kcxx::forward<int>(a)), int &&>);
}

} /* namespace */

// SPDX-License-Identifier: GPL-2.0-only
#include "kcxx/locked.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fake/kernel.h"

namespace {

struct Counter {
	long value = 0;
};

class LockedData : public testing::Test {
protected:
	LockedData() { data.init(GLUE_MUTEX_CONTAINER); }
	void TearDown() override { kernel.check_balance(); }

	fake::Kernel kernel{ [](const std::string &what) { ADD_FAILURE() << what; } };
	kcxx::Locked<Counter> data;
};

TEST_F(LockedData, IsReachedUnderTheLock)
{
	EXPECT_EQ(fake::held_mutexes(), 0u);
	unsigned int held = data.with([](Counter &) { return fake::held_mutexes(); });

	EXPECT_EQ(held, 1u);
	EXPECT_EQ(fake::held_mutexes(), 0u);
}

TEST_F(LockedData, IsReachedByOneThreadAtATime)
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 4; ++i) {
		threads.emplace_back([this] {
			for (int turn = 0; turn < 1000; ++turn)
				data.with([](Counter &counter) { ++counter.value; });
		});
	}
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(data.with([](Counter &counter) { return counter.value; }), 4000);
}

} /* namespace */

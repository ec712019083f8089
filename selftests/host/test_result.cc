// SPDX-License-Identifier: GPL-2.0-only
#include "kcxx/result.h"

#include <gtest/gtest.h>

#include "box.h"

using kcxx::Errno;
using kcxx::Error;
using kcxx::Result;

namespace {

Result<Box> make(bool succeed)
{
	if (!succeed)
		return Errno::NoMemory;
	return Box(7);
}

Result<int> read(bool succeed)
{
	Box box = TRY(make(succeed));

	return *box;
}

Result<void> check(bool succeed, bool &passed)
{
	TRY(read(succeed));
	passed = true;
	return {};
}

TEST(Error, ComesFromAndGoesToTheKernel)
{
	EXPECT_EQ(Error(Errno::NotPermitted).as_kernel(), -1);
	EXPECT_EQ(Error::from_kernel(-22), Error(Errno::Invalid));
	EXPECT_EQ(Error::from_kernel(-4095).as_kernel(), -4095);
	EXPECT_NE(Error(Errno::Busy), Error(Errno::Fault));
}

/* No number makes an error that says "success". */
TEST(Error, WhatIsNoErrnoIsEio)
{
	for (long rc : { 0L, 1L, 5L, -4096L, -(1L << 40) })
		EXPECT_EQ(Error::from_kernel(rc), Error(Errno::Io)) << rc;
}

TEST(Result, HoldsAValue)
{
	Result<Box> result = make(true);

	ASSERT_FALSE(result.is_error());
	EXPECT_EQ(*result.value(), 7);
	EXPECT_EQ(*result.release_value(), 7);
	EXPECT_TRUE(result.value().is_empty());
}

TEST(Result, HoldsAnError)
{
	Result<Box> result = make(false);

	ASSERT_TRUE(result.is_error());
	EXPECT_EQ(result.error(), Error(Errno::NoMemory));
}

TEST(Result, Moves)
{
	Result<Box> value = make(true);
	Result<Box> moved_value(std::move(value));
	Result<Box> error = make(false);
	Result<Box> moved_error(std::move(error));

	EXPECT_EQ(*moved_value.value(), 7);
	EXPECT_EQ(moved_error.error(), Error(Errno::NoMemory));
}

TEST(Result, OfNothing)
{
	Result<void> success;
	Result<void> failure = Errno::Busy;
	Result<void> other = Error(Errno::Fault);

	EXPECT_FALSE(success.is_error());
	success.release_value();
	EXPECT_EQ(failure.error(), Error(Errno::Busy));
	EXPECT_EQ(other.error(), Error(Errno::Fault));
}

TEST(Result, OfNothingComesFromTheKernel)
{
	EXPECT_FALSE(Result<void>::from_kernel(0).is_error());
	EXPECT_EQ(Result<void>::from_kernel(-16).error(), Error(Errno::Busy));
	EXPECT_EQ(Result<void>::from_kernel(1).error(), Error(Errno::Io));
}

TEST(Result, BecomesAnErrno)
{
	EXPECT_EQ(kcxx::to_errno({}), 0);
	EXPECT_EQ(kcxx::to_errno(Errno::NotTty), -25);
}

TEST(Try, EvaluatesToTheValue)
{
	bool passed = false;

	EXPECT_EQ(read(true).value(), 7);
	EXPECT_FALSE(check(true, passed).is_error());
	EXPECT_TRUE(passed);
}

TEST(Try, LeavesWithTheError)
{
	bool passed = false;

	EXPECT_EQ(read(false).error(), Error(Errno::NoMemory));
	EXPECT_EQ(check(false, passed).error(), Error(Errno::NoMemory));
	EXPECT_FALSE(passed);
}

} /* namespace */

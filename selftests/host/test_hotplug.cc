// SPDX-License-Identifier: GPL-2.0-only
/* Devices that join a PE in use. */
#include "host_test.h"

namespace {

/* Another function of the card that the user has comes back. */
TEST_F(HostTest, D22DeviceThatJoinsLeavesTheWindowsAlone)
{
	register_all();
	kernel.add_device(group);
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	kernel.add_device(group);
	ASSERT_NO_FATAL_FAILURE(expect_mapped(0, user));
	EXPECT_EQ(client.map(page_4k, user, page_4k), 0);
	EXPECT_EQ(client.remove(0), 0);
	kernel.add_device(group);
}

} /* namespace */

// SPDX-License-Identifier: GPL-2.0-only
/* An ioctl that has found its container, but not yet locked it, when that is released. */
#include <functional>

#include "host_test.h"

namespace {

struct Call {
	const char *name;
	long (*ioctl)(Client &client);
};

void PrintTo(const Call &call, std::ostream *out)
{
	*out << call.name;
}

class InFlight : public HostTest, public testing::WithParamInterface<Call> {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		ASSERT_EQ(client.register_memory(user, MiB), 0);
		ASSERT_EQ(client.map(0, user, MiB), 0);
	}

public:
	static constexpr unsigned long first = user;
	static constexpr unsigned long next = user + MiB;
};

TEST_P(InFlight, FailsAfterTheReleaseAndTakesNothing)
{
	kernel.at_next(fake::Hook::BeforeLock, [this] { client.close(); });
	EXPECT_LT(GetParam().ioctl(client), 0);
	EXPECT_EQ(process.locked_vm, 0u);
}

TEST_P(InFlight, FailsAfterTheLastDetachAndTakesNothing)
{
	kernel.at_next(fake::Hook::BeforeLock, [this] { client.detach(group); });
	GetParam().ioctl(client);
	EXPECT_EQ(process.mapped(), 0);
}

INSTANTIATE_TEST_SUITE_P(
	Ioctls, InFlight,
	testing::Values(
		Call{ "get_info",
		      [](Client &client) {
			      vfio_iommu_spapr_tce_info info = {};

			      return client.get_info(info);
		      } },
		Call{ "register",
		      [](Client &client) { return client.register_memory(InFlight::next, MiB); } },
		Call{ "unregister",
		      [](Client &client) {
			      return client.unregister_memory(InFlight::first, MiB);
		      } },
		Call{ "map", [](Client &client) { return client.map(0, InFlight::first, MiB); } },
		Call{ "unmap", [](Client &client) { return client.unmap(0, MiB); } },
		Call{ "create", [](Client &client) { return client.create(12, MiB); } },
		Call{ "remove", [](Client &client) { return client.remove(0); } },
		Call{ "eeh", [](Client &client) { return client.eeh(VFIO_EEH_PE_GET_STATE); } }),
	[](const auto &info) { return info.param.name; });

/*
 * The user's memory can take for ever to be read, by a page that another process of his has to
 * bring. All that keeps the module loaded meanwhile is an object.
 */
TEST_P(InFlight, KeepsTheModuleWhileItsArgumentIsRead)
{
	bool had_objects = false;

	kernel.at_next(fake::Hook::BeforeCopyFromUser, [&] {
		client.close();
		had_objects = kernel.has_objects();
	});
	GetParam().ioctl(client);
	EXPECT_TRUE(had_objects);
}

class LastUser : public HostTest {};

TEST_F(LastUser, ContainerIsThereUntilTheIoctlIsDone)
{
	bool had_objects = false;

	kernel.at_next(fake::Hook::BeforeLock, [&] {
		client.close();
		had_objects = kernel.has_objects();
	});
	EXPECT_LT(client.map(0, user, page_4k), 0);
	EXPECT_TRUE(had_objects);
	EXPECT_FALSE(kernel.has_objects());
}

} /* namespace */

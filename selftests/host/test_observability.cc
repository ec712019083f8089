// SPDX-License-Identifier: GPL-2.0-only
/* What is told to who traces, and what is read in debugfs. */
#include <atomic>
#include <thread>

#include "fake/kvm.h"
#include "fake/observer.h"
#include "kernel/trace.h"
#include "host_test.h"

namespace {

constexpr unsigned long window_size = 64 * MiB;

class Observed : public HostTest {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		number = *fake::containers().begin();
		name = "container=" + std::to_string(number);
		/* Other tests have made objects before. */
		ASSERT_EQ(fake::containers().size(), 1u);
	}

	std::string state() { return fake::read_state(number); }
	bool state_has(const std::string &line)
	{
		return ("\n" + state()).find("\n" + line) != std::string::npos;
	}
	/* The value behind @word in the line that begins with @line. */
	unsigned long value(const std::string &line, const std::string &word)
	{
		std::string text = "\n" + state();
		size_t at = text.find("\n" + line);

		if (at == std::string::npos)
			return ~0UL;
		text = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
		at = text.find(" " + word + "=");
		return at == std::string::npos ? ~0UL
					       : std::stoul(text.substr(at + word.size() + 2));
	}

	unsigned int number = 0;
	std::string name;
};

TEST_F(Observed, EventsOfWhatIsDone)
{
	fake::Tracer tracer;
	std::string window = name + " start=0x0 size=0x4000000";
	std::string memory = name + " user=0x100000000 size=0x400000";

	ASSERT_EQ(client.register_memory(user, memory_size), 0);
	EXPECT_EQ(tracer.take(), "register " + memory + " result=0\n");
	ASSERT_EQ(client.map(0x5000, user + 0x2000, page_4k, read_only), 0);
	std::string events = tracer.take();
	EXPECT_NE(events.find("create " + window + " page_shift=12 levels=1 result=0\n"),
		  std::string::npos)
		<< events;
	EXPECT_NE(events.find("map " + name +
			      " ioba=0x5000 size=0x1000 user=0x100002000 "
			      "direction=r result=0\n"),
		  std::string::npos)
		<< events;
	EXPECT_EQ(client.unregister_memory(user, memory_size), -EBUSY);
	EXPECT_EQ(tracer.take(),
		  "unregister " + memory + " result=" + std::to_string(-EBUSY) + "\n");
	ASSERT_EQ(client.unmap(0x5000, page_4k), 0);
	events = tracer.take();
	EXPECT_NE(events.find("unmap " + name + " ioba=0x5000 size=0x1000 result=0\n"),
		  std::string::npos)
		<< events;
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_NE(tracer.take().find("remove " + window + "\n"), std::string::npos);
	client.detach(group);
	EXPECT_EQ(tracer.take(), "detach " + name + " group=1\n");
}

TEST_F(Observed, EventsOfWhatIsRefused)
{
	fake::Tracer tracer;

	EXPECT_EQ(client.map(0, user, page_4k), -EPERM);
	EXPECT_EQ(tracer.take(), "map " + name +
					 " ioba=0x0 size=0x1000 user=0x100000000 direction=rw "
					 "result=" +
					 std::to_string(-EPERM) + "\n");
	EXPECT_EQ(client.attach(group), -EBUSY);
	EXPECT_EQ(tracer.take(),
		  "attach " + name + " group=1 phb=1 pe=1 result=" + std::to_string(-EBUSY) + "\n");
	EXPECT_EQ(client.create(13, MiB), -EINVAL);
	EXPECT_NE(tracer.take().find("create " + name +
				     " start=0x0 size=0x100000 page_shift=13 "
				     "levels=1 result=" +
				     std::to_string(-EINVAL)),
		  std::string::npos);
}

TEST_F(Observed, EventsOfTheCallsOnlyWhileTheyAreWanted)
{
	fake::Tracer tracer;

	register_all();
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	tracer.take();
	glue_traced = 0;
	ASSERT_EQ(client.map(page_4k, user, page_4k), 0);
	ASSERT_EQ(client.unmap(0, 2 * page_4k), 0);
	EXPECT_EQ(tracer.take(), "");
}

TEST_F(Observed, EventsOfTheWindowsThatGoWithTheLastGroup)
{
	register_all();
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	fake::Tracer tracer;
	client.close();
	std::string events = tracer.take();
	size_t detached = events.find("detach " + name);
	size_t removed = events.find("remove " + name);

	EXPECT_NE(detached, std::string::npos);
	EXPECT_NE(removed, std::string::npos);
	EXPECT_LT(detached, removed);
	EXPECT_EQ(events.find("remove", removed + 1), std::string::npos);
}

TEST_F(Observed, EventsOfKvm)
{
	if (uses_kernel_tables())
		GTEST_SKIP() << "KVM's handling of the kernel's own tables is the kernel's";
	client.checks_invalidation = false;
	register_all();
	ASSERT_EQ(client.unmap(0, page_4k), 0);

	fake::Tracer tracer;

	ASSERT_TRUE(fake::kvm_put_tce(*table(), process, 3, user));
	EXPECT_NE(tracer.take().find("kvm " + name + " ioba=0x3000 direction=rw allowed=1\n"),
		  std::string::npos);

	mm_struct stranger;

	stranger.mmap(user, memory_size);
	fake::Kernel::set_current(&stranger);
	fake::kvm_clear_tce(*table(), stranger, 3);
	fake::Kernel::set_current(&process);
	EXPECT_NE(tracer.take().find("kvm " + name + " ioba=0x3000 direction=none allowed=0\n"),
		  std::string::npos);
	ASSERT_TRUE(fake::kvm_put_tce(*table(), process, 3, 0));
}

TEST_F(Observed, EventsOfInvalidations)
{
	register_all();
	ASSERT_EQ(client.map(0x3000, user, page_4k), 0);

	fake::Tracer tracer;

	ASSERT_EQ(client.unmap(0x3000, page_4k), 0);
	/* The glue for OPAL tells of those by itself. */
	bool is_told = tracer.take().find("invalidate table ioba=0x3000 size=0x1000\n") !=
		       std::string::npos;
	EXPECT_EQ(is_told, uses_kernel_tables());
}

TEST_F(Observed, EventsOfInvalidationsOnPhb3)
{
	if (uses_kernel_tables())
		GTEST_SKIP() << "the kernel does that";
	register_all();
	client.close();
	group.data->pe.tce_kill_register = group.data;
	ASSERT_EQ(client.open(), 0);
	ASSERT_EQ(client.attach(group), 0);
	ASSERT_EQ(client.register_memory(user, memory_size), 0);
	ASSERT_EQ(client.map(0x3000, user, page_4k), 0);

	fake::Tracer tracer;

	ASSERT_EQ(client.unmap(0x3000, page_4k), 0);
	EXPECT_NE(tracer.take().find("invalidate phb=1 pe=1 ioba=0x3000 size=0x1000\n"),
		  std::string::npos);
}

TEST_F(Observed, StateOfAContainer)
{
	EXPECT_TRUE(state_has(name + " type=v2 pid=0 enabled=0 default_window_pending=1 "
				     "charged=0\ngroup=1 phb=1 pe=1\norphans=0\n"))
		<< state();
	register_all();
	ASSERT_EQ(client.register_memory(user - page_4k * 16, page_4k * 16), -EFAULT);
	ASSERT_EQ(client.map(0, user, 3 * page_4k), 0);
	ASSERT_EQ(client.map(0x20000, user, page_4k), 0);
	EXPECT_TRUE(state_has(name + " type=v2 pid=42 enabled=1 default_window_pending=0"))
		<< state();
	EXPECT_TRUE(state_has("window=0 start=0x0 size=0x4000000 page=0x1000 levels=1 mapped=4"))
		<< state();
	EXPECT_TRUE(state_has("region=0x100000000 size=0x400000 mapped=4\n")) << state();
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(value("window=0", "mapped"), 3u);
	EXPECT_EQ(value("region=", "mapped"), 3u);
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_FALSE(state_has("window=")) << state();
}

TEST_F(Observed, ChargesAreWhatTheProcessIsCharged)
{
	register_all();
	ASSERT_EQ(client.create(12, 16 * MiB), 0);
	EXPECT_EQ(value("window=0", "charged") + value("window=1", "charged") + memory_size,
		  process.locked_vm << KERNEL_PAGE_SHIFT)
		<< state();
}

TEST_F(Observed, BlocksAreThoseThatAreThere)
{
	if (uses_kernel_tables())
		GTEST_SKIP() << "nothing tells of those of the kernel's tables";
	register_all();
	ASSERT_EQ(client.remove(0), 0);
	/* A block of each level has a kernel page of entries. */
	ASSERT_EQ(client.create(12, 1UL << 36, 2), 0);

	unsigned long block = value("window=0", "tce_bytes");

	EXPECT_EQ(value("window=0", "view_bytes"), 0u);
	ASSERT_EQ(client.map(client.last_window, user, page_4k), 0);
	EXPECT_EQ(value("window=0", "tce_bytes"), 2 * block);

	unsigned long levels = KERNEL_PAGE_SHIFT == 12 ? 3 : 2;

	EXPECT_EQ(value("window=0", "view_bytes"), levels << KERNEL_PAGE_SHIFT);
	EXPECT_LE(value("window=0", "tce_bytes") + value("window=0", "view_bytes"),
		  value("window=0", "charged"));
}

TEST_F(Observed, StateOfV1)
{
	client.close();
	ASSERT_EQ(client.open(VFIO_SPAPR_TCE_IOMMU), 0);
	ASSERT_EQ(client.attach(group), 0);
	number = *fake::containers().begin();
	ASSERT_EQ(client.enable(), 0);
	ASSERT_EQ(client.map(0, user, 5 * page_4k), 0);
	EXPECT_TRUE(state_has("container=" + std::to_string(number) +
			      " type=v1 pid=42 enabled=1 default_window_pending=0 charged=" +
			      std::to_string(window_size)))
		<< state();
	EXPECT_EQ(value("window=0", "mapped"), 5u);
	EXPECT_FALSE(state_has("region="));
}

TEST_F(Observed, DirectoryGoesWithTheContainer)
{
	client.close();
	EXPECT_EQ(fake::containers().size(), 0u);
}

TEST_F(Observed, OrphansAndLateCalls)
{
	std::string before = fake::read_driver();
	Client other;
	iommu_group &other_group = kernel.add_group();

	register_all();
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	ASSERT_EQ(other.open(), 0);
	ASSERT_EQ(other.attach(other_group), 0);
	ASSERT_EQ(other.register_memory(user, memory_size), 0);
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);

	void *handle = other.handle();

	other.close();
	EXPECT_TRUE(state_has("orphans=1\n")) << state();
	EXPECT_NE(fake::read_driver().find(" orphans=1\n"), std::string::npos);
	EXPECT_EQ(tce_container_ioctl(handle, VFIO_IOMMU_SPAPR_TCE_GET_INFO, user), -ENODEV);
	EXPECT_NE(fake::read_driver().substr(0, fake::read_driver().find(' ')),
		  before.substr(0, before.find(' ')));
	client.close();
	EXPECT_NE(fake::read_driver().find(" orphans=0\n"), std::string::npos);
}

TEST_F(Observed, IsReadWhileItChangesAndGoes)
{
	std::atomic<bool> done = false;
	std::thread reader([&] {
		mm_struct *nobody = nullptr;

		fake::Kernel::set_current(nobody);
		while (!done) {
			for (unsigned int container : fake::containers())
				fake::read_state(container);
			fake::read_driver();
		}
	});

	for (int i = 0; i < 50; ++i) {
		ASSERT_EQ(client.register_memory(user, memory_size), 0);
		ASSERT_EQ(client.map(0, user, 16 * page_4k), 0);
		ASSERT_EQ(client.unmap(0, 8 * page_4k), 0);
		client.close();
		ASSERT_EQ(client.open(), 0);
		ASSERT_EQ(client.attach(group), 0);
	}
	done = true;
	reader.join();
}

} /* namespace */

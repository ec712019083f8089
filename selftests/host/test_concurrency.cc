// SPDX-License-Identifier: GPL-2.0-only
/* Several threads in one container, and KVM's handlers beside them. */
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "fake/kvm.h"
#include "host_test.h"

namespace {

class Concurrency : public HostTest {
protected:
	void SetUp() override
	{
		HostTest::SetUp();
		register_all();
		client.checks_invalidation = false;
	}

	/* Runs the bodies at the same time; each in a thread of the process. */
	void run(const std::vector<std::function<void()>> &bodies)
	{
		std::vector<std::thread> threads;

		for (const auto &body : bodies) {
			threads.emplace_back([&] {
				fake::Kernel::set_current(&process);
				body();
			});
		}
		for (std::thread &thread : threads)
			thread.join();
	}

	static constexpr int turns = 300;
};

/* D8: the stock driver's MAP and UNMAP take no lock. */
TEST_F(Concurrency, D8ThreadsMapTheSamePages)
{
	auto mapper = [this] {
		for (int turn = 0; turn < turns; ++turn) {
			EXPECT_EQ(client.map(0, user, 64 * KiB), 0);
			EXPECT_EQ(client.unmap(0, 128 * KiB), 0);
		}
	};

	run({ mapper, mapper, mapper });
	EXPECT_EQ(process.mapped(), 0);
}

TEST_F(Concurrency, D8WindowsComeAndGoWhileOthersMap)
{
	unsigned long window = fake::second_window_start;
	auto mapper = [this, window] {
		for (int turn = 0; turn < turns; ++turn) {
			client.map(window, user, 64 * KiB);
			client.map(0, user, 64 * KiB);
			client.unmap(window, 64 * KiB);
		}
	};

	run({ mapper, mapper, [this, window] {
		     for (int turn = 0; turn < turns; ++turn) {
			     client.create(12, 16 * MiB, 2);
			     client.remove(window);
			     client.remove(0);
			     client.create(12, 16 * MiB);
		     }
	     } });
}

TEST_F(Concurrency, D8TwoThreadsMakeTheSameLeaf)
{
	for (int turn = 0; turn < turns; ++turn) {
		ASSERT_EQ(client.create(12, GiB, 3), 0);
		unsigned long window = client.last_window;
		auto mapper = [this, window] { EXPECT_EQ(client.map(window, user, page_4k), 0); };

		run({ mapper, mapper });
		ASSERT_EQ(client.remove(window), 0);
	}
}

TEST_F(Concurrency, ReleaseWhileIoctlsAreOnTheirWay)
{
	for (int turn = 0; turn < turns; ++turn) {
		Client other;
		std::atomic<bool> going = true;

		ASSERT_EQ(other.open(), 0);
		void *handle = other.handle();
		auto caller = [&] {
			vfio_iommu_type1_dma_unmap request = {};

			request.argsz = sizeof(request);
			while (going)
				tce_container_ioctl(handle, VFIO_IOMMU_UNMAP_DMA,
						    reinterpret_cast<unsigned long>(&request));
		};

		run({ caller, caller, [&] {
			     other.close();
			     going = false;
		     } });
	}
}

TEST_F(Concurrency, TwoContainersShareARegion)
{
	auto container = [] {
		for (int turn = 0; turn < turns; ++turn) {
			Client other;

			EXPECT_EQ(other.open(), 0);
			EXPECT_EQ(other.register_memory(user, memory_size), 0);
		}
	};

	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	run({ container, container });
}

/*
 * All are closed at once, some of which have the last reference on what another one maps: nothing
 * may be forgotten, whoever comes first.
 */
TEST_F(Concurrency, ContainersWithOrphansCloseTogether)
{
	constexpr unsigned long closers = 3;

	/* The fake looks at a table as a whole, which here changes meanwhile. */
	kernel.checks_reach = false;
	ASSERT_EQ(client.unregister_memory(user, memory_size), 0);
	for (int turn = 0; turn < turns; ++turn) {
		Client closed[closers];
		Client last;
		std::vector<std::function<void()>> bodies = { [&] {
			EXPECT_EQ(client.unmap(0, closers * MiB), 0);
			last.close();
		} };

		ASSERT_EQ(last.open(), 0);
		ASSERT_EQ(last.register_memory(user + closers * MiB, 64 * KiB), 0);
		for (unsigned long i = 0; i < closers; ++i) {
			unsigned long region = user + i * MiB;

			ASSERT_EQ(client.register_memory(region, MiB), 0);
			ASSERT_EQ(closed[i].open(), 0);
			ASSERT_EQ(closed[i].register_memory(region, MiB), 0);
			ASSERT_EQ(client.map(i * MiB, region, page_4k * 16), 0);
			ASSERT_EQ(client.unregister_memory(region, MiB), 0);
			bodies.push_back([&closed, i] { closed[i].close(); });
		}
		run(bodies);
		ASSERT_EQ(kernel.all_pins(), 0);
	}
}

/* KVM makes the same blocks of a table and is faster. */
TEST_F(Concurrency, KvmMakesTheSameBlockFirst)
{
	if (uses_kernel_tables())
		GTEST_SKIP() << "the kernel's own tables make their blocks themselves";

	ASSERT_EQ(client.create(12, 1UL << 40, 3), 0);
	unsigned long window = client.last_window;
	unsigned long index = window / page_4k;

	/* The top block of the view, and one of each kind after it. */
	for (unsigned long turn = 0; turn < 8; ++turn) {
		unsigned long place = turn << 18;

		kernel.at_next(fake::Hook::AllocatingLevel, [&] {
			EXPECT_TRUE(fake::kvm_put_tce(*table(1), process, index + place + 1, user));
		});
		ASSERT_EQ(client.map(window + place * page_4k, user + MiB, page_4k), 0);
		expect_mapped(window + place * page_4k, user + MiB, 1);
		expect_mapped(window + (place + 1) * page_4k, user, 1);
	}
}

/* KVM and the ioctls at entries of their own, in the same leaf. */
TEST_F(Concurrency, KvmChangesTheEntriesBeside)
{
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	run({ [this] {
		     for (int turn = 0; turn < turns; ++turn) {
			     EXPECT_EQ(client.map(0, user, 64 * KiB), 0);
			     EXPECT_EQ(client.unmap(0, 64 * KiB), 0);
		     }
	     },
	      [this] {
		      for (int turn = 0; turn < 10 * turns; ++turn) {
			      EXPECT_TRUE(fake::kvm_put_tce(*table(), process, 16, user + MiB));
			      EXPECT_TRUE(fake::kvm_put_tce(*table(), process, 17, user));
			      EXPECT_TRUE(fake::kvm_put_tce(*table(), process, 16, 0));
		      }
	      } });
	/* What KVM left is the container's to give back. */
	EXPECT_EQ(process.mapped(), 1);
}

/* In the kernel's own tables a count can get lost: entry and view change one after the other. */
TEST_F(Concurrency, KvmChangesTheSameEntries)
{
	if (uses_kernel_tables())
		kernel.expect_lost_counts();
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	run({ [this] {
		     for (int turn = 0; turn < turns; ++turn) {
			     EXPECT_EQ(client.map(0, user, 16 * page_4k), 0);
			     EXPECT_EQ(client.unmap(0, 16 * page_4k), 0);
		     }
	     },
	      [this] {
		      for (unsigned long turn = 0; turn < 10 * turns; ++turn) {
			      fake::kvm_put_tce(*table(), process, turn % 16, user + MiB);
			      fake::kvm_put_tce(*table(), process, (turn + 3) % 16, 0);
		      }
	      } });

	if (!uses_kernel_tables()) {
		EXPECT_EQ(client.unmap(0, 16 * page_4k), 0);
		EXPECT_EQ(process.mapped(), 0);
		return;
	}

	/* The memory may have become an orphan, which the next container to close releases. */
	Client next;

	ASSERT_EQ(next.open(), 0);
	ASSERT_EQ(next.register_memory(0, memory_size), -EINVAL);
	client.close();
	kernel.give_back_lost_counts();
}

/* Both find the same blocks of a new window missing, and map entries beside each other. */
TEST_F(Concurrency, KvmAndMapMakeTheSameLeaf)
{
	for (int turn = 0; turn < turns; ++turn) {
		ASSERT_EQ(client.create(12, GiB, 2), 0);
		unsigned long window = client.last_window;

		run({ [this, window] { EXPECT_EQ(client.map(window, user, page_4k), 0); },
		      [this, window] {
			      EXPECT_TRUE(fake::kvm_put_tce(*table(1), process,
							    window / page_4k + 1, user + MiB));
		      } });
		expect_mapped(window, user, 1);
		expect_mapped(window + page_4k, user + MiB, 1);
		ASSERT_EQ(client.remove(window), 0);
	}
}

/* KVM has the PEs of a table told, while they become more and fewer. */
TEST_F(Concurrency, KvmInvalidatesWhileGroupsComeAndGo)
{
	if (uses_kernel_tables())
		GTEST_SKIP() << "the kernel's own tables know their groups themselves";

	iommu_group &second = kernel.add_group();

	/* The fake looks at all groups, which here change meanwhile. */
	kernel.checks_reach = false;
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	run({ [this, &second] {
		     for (int turn = 0; turn < turns; ++turn) {
			     EXPECT_EQ(client.attach(second), 0);
			     client.detach(second);
		     }
	     },
	      [this] {
		      for (int turn = 0; turn < 10 * turns; ++turn) {
			      EXPECT_TRUE(fake::kvm_put_tce(*table(), process, 16, user + MiB));
			      EXPECT_TRUE(fake::kvm_put_tce(*table(), process, 16, 0));
		      }
	      } });
	EXPECT_EQ(process.mapped(), 1);
}

/* KVM can map all that the process has registered, be it by another container. */
TEST_F(Concurrency, KvmsMappingOfAnotherContainersMemoryIsTakenOut)
{
	Client other;

	process.mmap(user + memory_size, MiB);
	ASSERT_EQ(other.open(), 0);
	ASSERT_EQ(other.register_memory(user + memory_size, MiB), 0);
	ASSERT_EQ(client.map(0, user, page_4k), 0);
	ASSERT_TRUE(fake::kvm_put_tce(*table(), process, 0, user + memory_size));
	EXPECT_EQ(other.unregister_memory(user + memory_size, MiB), -EBUSY);
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(other.unregister_memory(user + memory_size, MiB), 0);
}

} /* namespace */

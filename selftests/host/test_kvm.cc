// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's H_PUT_TCE handlers in our own tables. Each of their steps can be followed by anything: the
 * schedules of some hypercalls and ioctls at the same entry are gone through, all of them.
 */
#include <algorithm>
#include <functional>
#include <vector>

#include "fake/kvm.h"
#include "host_test.h"

namespace {

using fake::KvmCall;

class Kvm : public HostTest {
protected:
	void SetUp() override
	{
		if (uses_kernel_tables())
			GTEST_SKIP() << "KVM's handling of the kernel's own tables is the kernel's";
		HostTest::SetUp();
		process.mmap(second, MiB);
		client.checks_invalidation = false;
		ASSERT_EQ(client.register_memory(user, MiB), 0);
		ASSERT_EQ(client.register_memory(second, MiB), 0);
		ASSERT_EQ(client.unmap(0, page_4k), 0);
	}

	void TearDown() override
	{
		if (!uses_kernel_tables())
			HostTest::TearDown();
	}

	bool put(unsigned long index, unsigned long address)
	{
		return fake::kvm_put_tce(*table(), process, index, address);
	}

	/* Entries that lead into the MiB of memory at @start, as devices see them. */
	long reachable(unsigned long start)
	{
		unsigned long hpa = process.physical(start);
		long count = 0;

		for (const auto &[index, tce] : group.data->cached.at(0))
			count += tce.hpa - hpa < MiB;
		return count;
	}

	/* How many entries the kernel takes the region at @start to have. */
	long counted(unsigned long start)
	{
		return mm_iommu_lookup(&process, start, page_4k)->mapped - 1;
	}

	/* What is reachable must be counted, whatever else is. */
	void expect_all_counted()
	{
		for (unsigned long start : { user, second })
			EXPECT_LE(reachable(start), counted(start));
	}

	static constexpr unsigned long second = 8 * GiB;
};

TEST_F(Kvm, MapsAndUnmaps)
{
	ASSERT_TRUE(put(3, user + page_4k));
	expect_mapped(3 * page_4k, user + page_4k);
	EXPECT_EQ(counted(user), 1);
	ASSERT_TRUE(put(3, second));
	expect_mapped(3 * page_4k, second);
	EXPECT_EQ(counted(user), 0);
	EXPECT_EQ(counted(second), 1);
	ASSERT_TRUE(put(3, 0));
	EXPECT_EQ(mapped_entries(), 0u);
	EXPECT_EQ(counted(second), 0);
	EXPECT_FALSE(group.data->uses_old_entries());
}

/* A PE can look up a TCE as soon as the firmware has the window. */
TEST_F(Kvm, APeThatJoinsIsTold)
{
	iommu_group &joining = kernel.add_group();
	unsigned long found = 0;

	ASSERT_TRUE(put(0, user));
	kernel.at_next(fake::Hook::WindowMapped, [&] {
		joining.data->cached.at(0) = table()->entries();
		found = joining.data->cached.at(0).size();
		EXPECT_TRUE(put(0, 0));
		EXPECT_EQ(counted(user), 0);
		EXPECT_TRUE(joining.data->cached.at(0).empty());
	});
	ASSERT_EQ(client.attach(joining), 0);
	EXPECT_EQ(found, 1u);
}

/* A page that a device may have written to is dirty, once the device cannot write any more. */
TEST_F(Kvm, MarksWhatADeviceMayHaveWritten)
{
	ASSERT_TRUE(put(0, user));
	EXPECT_FALSE(kernel.is_dirty(process.physical(user)));
	ASSERT_TRUE(put(0, 0));
	EXPECT_TRUE(kernel.is_dirty(process.physical(user)));
}

TEST_F(Kvm, WithoutMemoryTheCallIsLeftToUserSpace)
{
	kernel.failures.fail(fake::Point::AllocNoWait);
	EXPECT_FALSE(put(0, user));
	kernel.failures.fail(fake::Point::AllocLevel);
	EXPECT_FALSE(put(0, user));
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_TRUE(put(0, user));
}

/* A process that was given the group's file maps its own memory. */
TEST_F(Kvm, AnotherProcessChangesNothing)
{
	mm_struct stranger;
	mm_iommu_table_group_mem_t *region = nullptr;

	stranger.mmap(user, MiB);
	fake::Kernel::set_current(&stranger);
	ASSERT_EQ(mm_iommu_new(&stranger, user, MiB / fake::page_size, &region), 0);
	fake::Kernel::set_current(&process);
	ASSERT_EQ(client.map(0, user, page_4k), 0);

	EXPECT_FALSE(fake::kvm_put_tce(*table(), stranger, 0, user));
	EXPECT_FALSE(fake::kvm_put_tce(*table(), stranger, 1, user));
	EXPECT_FALSE(fake::kvm_put_tce(*table(), stranger, 0, 0));
	fake::kvm_clear_tce(*table(), stranger, 0);
	expect_mapped(0, user);
	EXPECT_EQ(mapped_entries(), 1u);
	EXPECT_EQ(counted(user), 1);
	EXPECT_EQ(stranger.mapped(), 0);
	EXPECT_EQ(mm_iommu_put(&stranger, region), 0);
}

/* KVM keeps a reference on the table of a window that was removed. */
TEST_F(Kvm, NothingIsMappedAfterTheWindow)
{
	iommu_table *kept = iommu_tce_table_get(table());

	ASSERT_TRUE(put(0, user));
	ASSERT_EQ(client.remove(0), 0);
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_FALSE(fake::kvm_put_tce(*kept, process, 0, user));
	EXPECT_TRUE(fake::kvm_put_tce(*kept, process, 0, 0));
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_EQ(client.unregister_memory(user, MiB), 0);
	iommu_tce_table_put(kept);
}

/* The page sizes of memory are only looked at by MAP. */
TEST_F(Kvm, LargePagesAreLeftToUserSpace)
{
	ASSERT_EQ(client.create(KERNEL_PAGE_SHIFT < 16 ? 16 : 21, GiB), 0);
	EXPECT_FALSE(fake::kvm_put_tce(*table(1), process, table(1)->shape.offset, user));
	EXPECT_EQ(process.mapped(), 0);
}

/* After an error KVM clears entries and has nothing invalidated. */
TEST_F(Kvm, ClearedEntriesAreCountedDownByTheNext)
{
	ASSERT_TRUE(put(0, user));
	fake::kvm_clear_tce(*table(), process, 0);
	expect_all_counted();
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(process.mapped(), 0);
	EXPECT_FALSE(group.data->uses_old_entries());

	/* More than are put off. */
	for (unsigned long index = 0; index < 100; ++index)
		ASSERT_TRUE(put(index, user + index % 16 * page_4k));
	for (unsigned long index = 0; index < 100; ++index) {
		fake::kvm_clear_tce(*table(), process, index);
		expect_all_counted();
	}
	ASSERT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_EQ(process.mapped(), 0);
}

/* What is in a list of TCEs can have no permissions: KVM counts it all the same. */
TEST_F(Kvm, ATceWithoutPermissionsMapsNothing)
{
	mm_iommu_table_group_mem_t *region = mm_iommu_lookup(&process, user, page_4k);
	unsigned long *word = table()->view(0, true);
	unsigned long hpa = process.physical(user);
	unsigned int direction = KERNEL_DMA_NONE;

	ASSERT_TRUE(word);
	ASSERT_EQ(mm_iommu_mapped_inc(region), 0);
	EXPECT_EQ(table()->exchange(0, &hpa, &direction), 0);
	*word = __builtin_bswap64(user);
	table()->kill(0, 1);
	EXPECT_EQ(mapped_entries(), 0u);
	EXPECT_EQ(process.mapped(), 0);
}

/*
 * All schedules of hypercalls, which have up to five steps, and ioctls, which have one: what comes
 * to the entry must be counted at every moment, and everything must be given back in the end.
 */
class KvmSchedules : public Kvm {
protected:
	struct Actor {
		std::function<KvmCall()> call; /* a hypercall, or */
		std::function<void()> ioctl;
		int steps;
	};

	Actor map_by_kvm(unsigned long address)
	{
		return { [this, address] { return KvmCall(*m_table, process, 0, address); },
			 {},
			 5 };
	}
	Actor unmap_by_kvm()
	{
		return { [this] { return KvmCall(*m_table, process, 0, 0); }, {}, 2 };
	}
	static Actor ioctl(std::function<void()> body) { return { {}, std::move(body), 1 }; }

	/* Runs all schedules; @end checks and cleans up after each. */
	void for_all_schedules(const std::vector<Actor> &actors, const std::function<void()> &end)
	{
		std::vector<unsigned int> schedule;
		unsigned long count = 0;

		for (unsigned int i = 0; i < actors.size(); ++i)
			schedule.insert(schedule.end(), static_cast<unsigned int>(actors[i].steps),
					i);
		do {
			run(actors, schedule);
			end();
			++count;
		} while (!HasFailure() && std::next_permutation(schedule.begin(), schedule.end()));
		RecordProperty("schedules", static_cast<int>(count));
	}

	void expect_nothing_left()
	{
		ASSERT_EQ(client.unmap(0, 16 * page_4k), 0);
		EXPECT_EQ(mapped_entries(), 0u);
		EXPECT_EQ(process.mapped(), 0);
		EXPECT_FALSE(group.data->uses_old_entries());
	}

	iommu_table *m_table = nullptr;

private:
	void run(const std::vector<Actor> &actors, const std::vector<unsigned int> &schedule)
	{
		std::vector<KvmCall> calls;
		std::vector<bool> going;

		m_table = table();
		for (const Actor &actor : actors) {
			calls.push_back(actor.call ? actor.call()
						   : KvmCall(*m_table, process, 0, 0));
			going.push_back(true);
		}
		/* Who waits for KVM's handlers lets them run. */
		let_calls_run(calls, actors, going);
		for (unsigned int i : schedule) {
			if (!going[i])
				continue;
			if (actors[i].ioctl)
				actors[i].ioctl();
			else
				going[i] = calls[i].step();
			expect_all_counted();
		}
	}

	void let_calls_run(std::vector<KvmCall> &calls, const std::vector<Actor> &actors,
			   std::vector<bool> &going)
	{
		kernel.at_next(fake::Hook::Sleeping, [&] {
			for (unsigned long i = 0; i < calls.size(); ++i) {
				while (actors[i].call && going[i])
					going[i] = calls[i].step();
			}
		});
	}
};

TEST_F(KvmSchedules, TwoVcpusAndMap)
{
	for_all_schedules({ map_by_kvm(user), map_by_kvm(second), ioctl([this] {
				    EXPECT_EQ(client.map(0, user + page_4k, page_4k), 0);
			    }) },
			  [this] { expect_nothing_left(); });
}

TEST_F(KvmSchedules, TwoVcpusReplaceALiveMapping)
{
	for_all_schedules({ map_by_kvm(second), map_by_kvm(second + page_4k) }, [this] {
		EXPECT_EQ(counted(second), 1);
		expect_nothing_left();
		ASSERT_EQ(client.map(0, user, page_4k), 0);
	});
}

TEST_F(KvmSchedules, TwoVcpusAndUnmap)
{
	for_all_schedules({ map_by_kvm(user), map_by_kvm(second),
			    ioctl([this] { EXPECT_EQ(client.unmap(0, page_4k), 0); }) },
			  [this] { expect_nothing_left(); });
}

TEST_F(KvmSchedules, VcpusAndIoctlsMapAndUnmap)
{
	for_all_schedules({ map_by_kvm(user), unmap_by_kvm(),
			    ioctl([this] { EXPECT_EQ(client.map(0, second, page_4k), 0); }),
			    ioctl([this] { EXPECT_EQ(client.unmap(0, page_4k), 0); }) },
			  [this] { expect_nothing_left(); });
}

/* UNREGISTER either waits for the mapping to go or finds none. */
TEST_F(KvmSchedules, UnregisterWhileMapped)
{
	for_all_schedules({ map_by_kvm(user), map_by_kvm(second), ioctl([this] {
				    long ret = client.unregister_memory(user, MiB);

				    if (!ret)
					    ret = client.register_memory(user, MiB);
				    EXPECT_TRUE(!ret || ret == -EBUSY);
			    }) },
			  [this] { expect_nothing_left(); });
}

/* The table goes on while KVM has it; nothing of it may be left with the window. */
TEST_F(KvmSchedules, TheWindowIsRemoved)
{
	iommu_table *kept = nullptr;

	for_all_schedules({ map_by_kvm(user), map_by_kvm(second), ioctl([&] {
				    kept = iommu_tce_table_get(table());
				    EXPECT_EQ(client.remove(0), 0);
				    EXPECT_EQ(process.mapped(), 0);
			    }) },
			  [&] {
				  EXPECT_EQ(kept->entries().size(), 0u);
				  EXPECT_EQ(process.mapped(), 0);
				  iommu_tce_table_put(kept);
				  ASSERT_EQ(client.create(12, MiB), 0);
			  });
}

} /* namespace */

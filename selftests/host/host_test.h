/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HostTest: a kernel with one process, memory of it and a container with one group. At the end
 * everything is closed, and all that was taken must have been given back.
 */
#pragma once

#include <gtest/gtest.h>

#include "client.h"
#include "fake/kernel.h"

class HostTest : public testing::Test {
protected:
	HostTest()
	{
		tce_module_init(uses_kernel_tables());
		fake::Kernel::set_current(&process);
		process.mmap(user, memory_size);
	}

	/* A container with a group: what most tests begin with. */
	void SetUp() override
	{
		ASSERT_EQ(client.open(), 0);
		ASSERT_EQ(client.attach(group), 0);
	}

	void TearDown() override
	{
		client.close();
		tce_module_exit();
		kernel.check_balance();
	}

	/* All of the process's memory is registered: mapping is allowed. */
	void register_all() { ASSERT_EQ(client.register_memory(user, memory_size), 0); }

	iommu_table *table(unsigned int num = 0) { return group.data->tables.at(num); }

	/* The allocation of a block of the userspace view. */
	static fake::Point view_allocation()
	{
		return uses_kernel_tables() ? fake::Point::AllocView : fake::Point::AllocLevel;
	}

	/*
	 * From now on the @nth link between a table and a group cannot be allocated. Of a table of
	 * our own it is an object as others are, before which there are @others.
	 */
	void fail_link(unsigned long nth, unsigned long others)
	{
		if (uses_kernel_tables())
			kernel.failures.fail(fake::Point::LinkTable, nth);
		else
			kernel.failures.fail(fake::Point::Alloc, others + nth);
	}

	/* How many entries of the window are mapped. */
	unsigned long mapped_entries(unsigned int num = 0) { return table(num)->entries().size(); }

	/* The entry for @iova leads to @address and the view says so. */
	void expect_mapped(unsigned long iova, unsigned long address, unsigned int num = 0)
	{
		unsigned long index = iova >> table(num)->shape.page_shift;

		fake::Tces entries = table(num)->entries();

		ASSERT_TRUE(entries.contains(index));
		EXPECT_EQ(entries.at(index).hpa, process.physical(address));
		EXPECT_EQ(table(num)->user_address(index), address);
	}

	static constexpr unsigned long user = 4 * GiB;
	static constexpr unsigned long memory_size = 4 * MiB;

	fake::Kernel kernel{ [](const std::string &what) { ADD_FAILURE() << what; } };
	mm_struct process;
	iommu_group &group = kernel.add_group();
	Client client;
};

// SPDX-License-Identifier: GPL-2.0-only
/* Which tables a group gets. */
#include "host_test.h"

namespace {

class Platform : public HostTest {
protected:
	template <typename Kind> bool is_default_table_of()
	{
		register_all();
		EXPECT_EQ(client.unmap(0, page_4k), 0);
		return dynamic_cast<Kind *>(table());
	}
};

TEST_F(Platform, TablesAreOfTheKindThatWasAskedFor)
{
	EXPECT_EQ(is_default_table_of<fake::KernelTable>(), uses_kernel_tables());
	EXPECT_EQ(kernel.opal_messages, 0u);
}

TEST_F(Platform, KernelsOwnTablesWhereTheFirmwareIsNotFound)
{
	client.close();
	kernel.finds_opal = false;
	tce_module_init(false);
	EXPECT_EQ(kernel.opal_messages, 1u);

	ASSERT_EQ(client.open(), 0);
	ASSERT_EQ(client.attach(group), 0);
	EXPECT_TRUE(is_default_table_of<fake::KernelTable>());
}

/* Firmware of which the PHB's cached TCEs cannot be taken back: our tables would go stale there. */
TEST_F(Platform, KernelsOwnTablesWhereTheFirmwareCannotInvalidate)
{
	client.close();
	kernel.failures.fail_always(fake::Point::KillPe);
	ASSERT_EQ(client.open(), 0);
	ASSERT_EQ(client.attach(group), 0);
	EXPECT_TRUE(is_default_table_of<fake::KernelTable>());
}

/* PHB3: the firmware refuses, but the driver reaches the PHB itself. */
TEST_F(Platform, Phb3IsInvalidatedByItsRegister)
{
	client.close();
	kernel.failures.fail_always(fake::Point::KillPe);
	group.data->pe.tce_kill_register = group.data;
	ASSERT_EQ(client.open(), 0);
	ASSERT_EQ(client.attach(group), 0);
	EXPECT_EQ(is_default_table_of<fake::KernelTable>(), uses_kernel_tables());

	/* A run that is killed page by page, and one that takes the whole PE's. */
	for (unsigned long pages : { 3UL, 300UL }) {
		EXPECT_EQ(client.map(0, user, pages * page_4k), 0);
		EXPECT_FALSE(group.data->uses_old_entries());
		EXPECT_EQ(client.unmap(0, pages * page_4k), 0);
		EXPECT_FALSE(group.data->uses_old_entries());
	}
}

TEST_F(Platform, KernelsOwnTablesForAGroupWithoutAPe)
{
	iommu_group &other = kernel.add_group();

	client.close();
	other.data->has_pe = false;
	ASSERT_EQ(client.open(), 0);
	ASSERT_EQ(client.attach(other), 0);
	register_all();
	EXPECT_EQ(client.unmap(0, page_4k), 0);
	EXPECT_TRUE(dynamic_cast<fake::KernelTable *>(other.data->tables[0]));
	/* Its tables cannot serve others where those have the driver's own. */
	EXPECT_EQ(client.attach(group), uses_kernel_tables() ? 0 : -EPERM);
}

/* The last device can be unplugged from a group that is attached. */
TEST_F(Platform, GroupThatLosesItsPeGetsNoWindow)
{
	if (uses_kernel_tables())
		GTEST_SKIP() << "the kernel's own tables know their PE";

	register_all();
	group.data->has_pe = false;
	EXPECT_EQ(client.map(0, user, page_4k), -ENODEV);
	group.data->has_pe = true;
	EXPECT_EQ(client.map(0, user, page_4k), 0);
	group.data->has_pe = false;
	EXPECT_EQ(client.remove(0), 0);
}

} /* namespace */

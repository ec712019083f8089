/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TableGroup: an IOMMU group (a PE) with the windows that it can have.
 *
 * A TableGroup is a name, not a reference: the VFIO core keeps the group alive while it is
 * attached to a container. The caller holds that container's lock.
 *
 * Source: arch/powerpc/include/asm/iommu.h, struct iommu_table_group.
 */
#pragma once

#include "arch/powerpc/glue/iommu.h"
#include "arch/powerpc/tables/group_backend.h"
#include "arch/powerpc/tables/table.h"
#include "arch/powerpc/tce/tce_types.h"

namespace tce {

constexpr unsigned int max_tables = KERNEL_MAX_TABLES;

class TableGroup {
public:
	TableGroup(iommu_group *group, iommu_table_group *tables, const GroupBackend &platform);
	/* With limits other than those that the kernel knows. */
	TableGroup(iommu_group *group, iommu_table_group *tables, const GroupBackend &platform,
		   const glue_table_group_limits &limits);

	/* The default window: from 0 or wherever the platform put it, below 4 GiB. */
	Ioba default_window_start() const { return Ioba(m_limits.tce32_start); }
	Bytes default_window_size() const { return Bytes(m_limits.tce32_size); }
	WindowShape default_window() const;

	/* Page sizes of windows, one bit each. */
	unsigned long page_sizes() const { return m_limits.page_sizes; }
	unsigned int max_windows() const { return m_limits.max_windows; }
	unsigned int max_levels() const { return m_limits.max_levels; }

	/* Windows can be created and removed at run time. */
	bool has_dynamic_windows() const;
	/* There is one window, of the size of the default window; it can only be used or not. */
	bool has_fixed_window() const { return m_limits.fixed_window; }

	/* Before the first window, in each container. -EBUSY: someone uses the window; -EIO. */
	Result<void> claim() const { return m_platform->claim(*this); }

	/* One table can serve both groups. */
	bool can_share_tables_with(const TableGroup &other) const;

	/*
	 * The shape of a table for @window. -EINVAL for a window that this group cannot have;
	 * -ENOMEM for one with a level too large to allocate.
	 */
	Result<TableShape> check(const WindowShape &window) const;

	/* A table for slot @num, not yet in use. */
	Result<Table> create_table(unsigned int num, const TableShape &shape) const;

	/* Makes @table the window in slot @num. On error (-EIO, -ENOMEM) the slot is empty. */
	Result<void> set_window(unsigned int num, const Table &table) const;

	/*
	 * Takes @table out of slot @num; the PE's cached TCEs are gone too. An error (-EIO) says
	 * that the firmware refused and that the hardware may go on reading the table.
	 */
	Result<void> unset_window(unsigned int num, const Table &table) const;

	/* For the platforms. */
	iommu_group *group() const { return m_group; }
	iommu_table_group *kernel() const { return m_tables; }
	const glue_table_group_limits &limits() const { return m_limits; }
	bool tables_in_memory() const { return m_limits.tables_in_memory; }

private:
	iommu_group *m_group;
	iommu_table_group *m_tables;
	const GroupBackend *m_platform;
	glue_table_group_limits m_limits;
};

} /* namespace tce */

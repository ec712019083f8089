/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GroupBackend: what the windows of a group can be, and how they are made, set and unset. One
 * object without state for each way: KernelGroups, over the operations of the kernel's own platform
 * code, PowernvGroups, with tables of our own, and for partitions DynamicGroups and BorrowedGroups.
 *
 * Process context with the container's lock held.
 */
#pragma once

#include "arch/powerpc/tables/table.h"
#include "arch/powerpc/tce/table_shape.h"
#include "arch/powerpc/tce/tce_types.h"

namespace tce {

class TableGroup;

class GroupBackend {
public:
	/*
	 * TableShape::memory() of @shape, which is valid but for that. -EINVAL, -ENOMEM: see
	 * TableGroup::check().
	 */
	virtual Result<Bytes> table_memory(const TableGroup &group,
					   const TableShape &shape) const = 0;
	/* See the functions of TableGroup that have the same names. */
	virtual Result<Table> create_table(const TableGroup &group, unsigned int num,
					   const TableShape &shape) const = 0;
	virtual Result<void> set_window(const TableGroup &group, unsigned int num,
					const Table &table) const = 0;
	virtual Result<void> unset_window(const TableGroup &group, unsigned int num,
					  const Table &table) const = 0;
	virtual Result<void> claim(const TableGroup &group) const = 0;
	/* A table can be the window of several groups. */
	virtual bool tables_serve_many_groups() const = 0;

protected:
	~GroupBackend() = default;
};

} /* namespace tce */

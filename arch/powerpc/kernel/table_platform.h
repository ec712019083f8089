/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TablePlatform: how tables are made, set as windows of a group, and reached. One object without
 * state for each way: KernelTables, over the operations of the kernel's own platform code,
 * PowernvTables, our own, and for partitions PseriesTables and BorrowedTables.
 *
 * Process context with the container's lock held, unless a function says otherwise.
 */
#pragma once

#include "arch/powerpc/kernel/table.h"
#include "arch/powerpc/kernel/tce_types.h"

namespace tce {

class TableGroup;

/* A window that a user asks for. */
struct WindowShape {
	unsigned int page_shift;
	Bytes size;
	unsigned int levels;
};

class TablePlatform {
public:
	/* See the functions of TableGroup and Table that have the same names. */
	virtual Result<Bytes> table_size(const TableGroup &group,
					 const WindowShape &shape) const = 0;
	virtual Result<Table> create_table(const TableGroup &group, unsigned int num,
					   const WindowShape &shape) const = 0;
	virtual Result<void> set_window(const TableGroup &group, unsigned int num,
					const Table &table) const = 0;
	virtual Result<void> unset_window(const TableGroup &group, unsigned int num,
					  const Table &table) const = 0;
	virtual Leaf find_leaf(const Table &table, TceIndex index) const = 0;
	virtual Result<Leaf> reserve_leaf(const Table &table, TceIndex index) const = 0;
	virtual Reach invalidate(const Table &table, EntryRange range) const = 0;
	virtual unsigned long permissions(Direction direction) const = 0;
	virtual Result<void> take_over(const TableGroup &group) const = 0;
	/* A table can be the window of several groups. */
	virtual bool tables_serve_many_groups() const = 0;

protected:
	~TablePlatform() = default;
};

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Window: a DMA window of a container: a TCE table, the memory charged for it, and the slot that it
 * takes in every group of the container.
 *
 * The charge is for the most memory that the table and its userspace view can take, and lasts as
 * long as the window; one of type 1 has none. Locking: the container's.
 */
#pragma once

#include "arch/powerpc/tables/table_group.h"
#include "drivers/vfio/locked_memory.h"
#include "drivers/vfio/mapper.h"
#include "kcxx/owned.h"

namespace tce {

class Window {
public:
	/*
	 * A window for slot @num of groups like @group, which is not set in any of them yet.
	 * -ENOMEM: no memory or beyond the limit; other errors of TableGroup::create_table().
	 */
	static Result<kcxx::Owned<Window>> create(const Mapper::Context &context,
						  const TableGroup &group, unsigned int num,
						  const TableShape &shape);

	Window(Table table, LockedMemory charge, const Mapper::Context &context)
		: m_charge(kcxx::move(charge)), m_table(kcxx::move(table)),
		  m_mapper(m_table, context)
	{
	}

	const Table &table() const { return m_table; }
	const Mapper &mapper() const { return m_mapper; }
	const LockedMemory &charge() const { return m_charge; }

	Result<void> set_in(const TableGroup &group, unsigned int num) const
	{
		return group.set_window(num, m_table);
	}

	/* Should the firmware refuse, the PHB goes on reading the table: it is never freed then. */
	void unset_in(const TableGroup &group, unsigned int num) const
	{
		if (group.unset_window(num, m_table).is_error())
			m_table.keep_for_ever();
	}

private:
	/* The charge goes last: until then the table exists. */
	LockedMemory m_charge;
	Table m_table;
	Mapper m_mapper;
};

} /* namespace tce */

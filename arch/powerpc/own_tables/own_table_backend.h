/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OwnTableBackend: how the TCEs of a table of our own get to the devices. One object without state
 * for PowerNV, where PEs read the words themselves, and one for partitions (PAPR), where the
 * hypervisor is told of each. What a platform keeps with a table is in a class derived from
 * OwnTable.
 */
#pragma once

#include "arch/powerpc/tce/leaf.h"
#include "arch/powerpc/tce/tce_format.h"

namespace tce {

class OwnTable;

class OwnTableBackend {
public:
	/* The permission bits of a TCE. */
	Permissions permissions(Direction direction) const
	{
		return direction == Direction::FromDevice ? m_write_permissions
							  : tce::permissions(direction);
	}

	/*
	 * Puts @tce into the entry @index, whose word is @word. Update::Cleared: the entry was
	 * emptied instead; Update::Stale: it is as before. With the gate's lock held, by which
	 * nobody else changes the entry; does not sleep.
	 */
	virtual Update put(OwnTable &table, TceIndex index, AtomicBigEndian &word,
			   unsigned long tce) const = 0;

	/*
	 * After put(): makes the PEs forget what they have cached of @range, which is not empty.
	 * Any context, with or without the gate's lock.
	 */
	virtual void invalidate(OwnTable &table, EntryRange range) const = 0;

	/*
	 * The same after the words of @range were written one by one, without put(): makes the PEs
	 * see them. Under the container's lock, without the gate's.
	 */
	virtual Update update(OwnTable &table, EntryRange range) const = 0;

	/* Frees the object, when nobody uses the table any more. */
	virtual void destroy(OwnTable &table) const = 0;

protected:
	/* @write_permissions: of what the device may only write to. */
	constexpr explicit OwnTableBackend(Permissions write_permissions)
		: m_write_permissions(write_permissions)
	{
	}
	~OwnTableBackend() = default;

private:
	const Permissions m_write_permissions;
};

} /* namespace tce */

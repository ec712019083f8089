/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IovaSpace: the bus addresses that a container of type 1 can map: its windows without the places
 * where a PHB does not take an address for memory, as ranges in order that do not touch each
 * other's addresses. What a user is told of, and what his mappings are held against.
 *
 * Locking: the container's. All functions but contains() allocate and may sleep; -ENOMEM.
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"
#include "kcxx/vector.h"

namespace tce {

/* Bus addresses, not none of them. The last one can be the last that there is. */
struct IovaRange {
	Ioba first;
	Ioba last;

	/* -EOVERFLOW beyond the last address. @size is not 0. */
	static Result<IovaRange> of(Ioba first, Bytes size);

	Bytes size() const { return (last - first) + Bytes(1); }
	bool overlaps(const IovaRange &other) const
	{
		return first <= other.last && other.first <= last;
	}
	bool contains(const IovaRange &other) const
	{
		return first <= other.first && other.last <= last;
	}
};

constexpr IovaRange every_iova{ Ioba(0), Ioba(~0UL) };

class IovaSpace {
public:
	/* @window is behind all that were added. */
	Result<void> add(IovaRange window);
	/* Takes out what is in @hole. On an error nothing has changed. */
	Result<void> exclude(IovaRange hole);

	/* One range has all of @wanted. */
	bool contains(const IovaRange &wanted) const;

	unsigned long size() const { return m_ranges.size(); }
	const IovaRange &operator[](unsigned long index) const { return m_ranges[index]; }

private:
	kcxx::Vector<IovaRange> m_ranges;
};

} /* namespace tce */

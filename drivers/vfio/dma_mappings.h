/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DmaMappings: what a container of type 1 has mapped, by bus address. Each MAP_DMA makes a mapping,
 * which is undone as a whole, and is charged to the process that made it until then.
 *
 * A lookup costs the logarithm of their number. There are none in the end: who has a mapping undone
 * takes it out here. Locking: the container's.
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"
#include "drivers/vfio/iova_space.h"
#include "drivers/vfio/locked_memory.h"
#include "kcxx/owned.h"
#include "kernel/range_map.h"

namespace tce {

class DmaMapping : private glue_range {
public:
	DmaMapping(IovaRange range, LockedMemory charge)
		: glue_range{}, m_charge(kcxx::move(charge))
	{
		first = range.first.value();
		last = range.last.value();
	}

	IovaRange range() const { return { Ioba(first), Ioba(last) }; }

private:
	friend class DmaMappings;

	LockedMemory m_charge;
};

class DmaMappings {
public:
	/* Room for @most mappings. */
	explicit DmaMappings(unsigned int most) : m_available(most) {}
	DmaMappings(const DmaMappings &) = delete;
	DmaMappings &operator=(const DmaMappings &) = delete;

	/* How many more there can be. */
	unsigned int available() const { return m_available; }
	unsigned long size() const { return m_size; }

	/* The first that has addresses in @range, or nullptr. */
	DmaMapping *find(IovaRange range) const
	{
		return static_cast<DmaMapping *>(
			glue_range_map_find(&m_map, range.first.value(), range.last.value()));
	}

	/* @mapping overlaps no other, and there is room for it. */
	void insert(kcxx::Owned<DmaMapping> mapping);
	/* Gives the charge back, too. May sleep. */
	void remove(DmaMapping &mapping);

private:
	glue_range_map m_map{};
	unsigned int m_available;
	unsigned long m_size = 0;
};

} /* namespace tce */

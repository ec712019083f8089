/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaf: what a table has at an entry, and for how many of those that follow it is the same. */
#pragma once

#include "arch/powerpc/kernel/tce_types.h"
#include "kcxx/big_endian.h"

namespace tce {

using kcxx::AtomicBigEndian;

class Leaf {
public:
	enum class Kind {
		Hole,	     /* Nothing was ever mapped: neither half of the entries is there. */
		InMemory,    /* TCEs and view are words that lie next to each other. */
		ByOperation, /* The view is; a TCE is reached by Table::exchange() only. */
	};

	Leaf() = default;
	static Leaf hole(Entries count) { return Leaf(nullptr, nullptr, count); }
	static Leaf in_memory(AtomicBigEndian *tces, AtomicBigEndian *view, Entries count)
	{
		return Leaf(tces, view, count);
	}
	static Leaf by_operation(AtomicBigEndian *view, Entries count)
	{
		return Leaf(nullptr, view, count);
	}

	Kind kind() const
	{
		if (!m_view)
			return Kind::Hole;
		return m_tces ? Kind::InMemory : Kind::ByOperation;
	}
	/* How many entries there are from the asked-for one on, to the end of the leaf or hole. */
	Entries count() const { return m_count; }
	/* InMemory: the TCE of the asked-for entry, and of those that follow. */
	AtomicBigEndian *tces() const { return m_tces; }
	/* Not of a hole: their words of the view. */
	AtomicBigEndian *view() const { return m_view; }

private:
	Leaf(AtomicBigEndian *tces, AtomicBigEndian *view, Entries count)
		: m_tces(tces), m_view(view), m_count(count)
	{
	}

	AtomicBigEndian *m_tces = nullptr;
	AtomicBigEndian *m_view = nullptr;
	Entries m_count;
};

/* What the devices can reach of some entries, after these were changed. */
enum class Reach {
	Current, /* What the table says. */
	Nothing, /* The hypervisor has refused the entries, and has none of them now. */
	Unknown, /* It has refused to empty them as well: the old ones may be there. */
};

} /* namespace tce */

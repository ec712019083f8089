/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaf: how the entries of a table are stored, from one of them on to the end of its block. */
#pragma once

#include "arch/powerpc/tce/tce_types.h"
#include "kcxx/big_endian.h"

namespace tce {

using kcxx::AtomicBigEndian;

class Leaf {
public:
	enum class Kind {
		Hole,	     /* Nothing was ever mapped here: the words do not exist. */
		InMemory,    /* TCEs and view are two arrays of words. */
		ByOperation, /* The view is one; a TCE is reached by Table::exchange(). */
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

/* How an update of entries ended: what the devices can reach now. */
enum class Update {
	Done,	 /* What the table says. */
	Cleared, /* The hypervisor has refused the entries, and has none of them now. */
	Stale,	 /* It has refused to empty them as well: the old ones may be there. */
};

} /* namespace tce */

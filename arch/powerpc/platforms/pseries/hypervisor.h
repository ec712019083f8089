/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TceCalls: writes entries of one of the hypervisor's tables, with as few calls as possible: up to
 * 512 entries with one call where the hypervisor has multi-TCE calls, else each entry with its own.
 *
 * Any context. The caller keeps others off the same entries.
 *
 * Source: LoPAR, H_PUT_TCE, H_PUT_TCE_INDIRECT, H_STUFF_TCE.
 */
#pragma once

#include "arch/powerpc/tce/leaf.h"
#include "kcxx/utility.h"

namespace tce {

/* What a multi-TCE call takes. */
constexpr Entries most_per_call{ 512 };

/*
 * Calls @body for the parts of @range that one call takes, so that no lock is held for all of them;
 * true if it returned that for all.
 */
template <typename Body>
[[gnu::always_inline]] inline bool for_each_part(EntryRange range, Body body)
{
	bool all = true;

	while (range.count.value()) {
		EntryRange part = { range.first,
				    range.count < most_per_call ? range.count : most_per_call };

		all = body(part) && all;
		range = { part.end(), range.count - part.count };
	}
	return all;
}

/* At module load. */
void find_multi_tce_calls();

/* Memory for the list that a multi-TCE call takes. */
class TceList {
public:
	/* -ENOMEM. May sleep. */
	static Result<TceList> allocate(int node);

	TceList(TceList &&other) noexcept : m_list(kcxx::exchange(other.m_list, nullptr)) {}
	TceList &operator=(TceList &&) = delete;
	~TceList();

	AtomicBigEndian *tces() const { return m_list; }

private:
	explicit TceList(AtomicBigEndian *list) : m_list(list) {}

	AtomicBigEndian *m_list;
};

class TceCalls {
public:
	TceCalls(unsigned long liobn, PageShift page) : m_liobn(liobn), m_page(page) {}

	/* False: the hypervisor has refused, and may have done a part of it. */
	bool put(TceIndex index, unsigned long tce) const;
	/* @list: up to most_per_call TCEs, in a page of 4 KiB of their own. */
	bool put_list(EntryRange range, AtomicBigEndian *list) const;
	/* Empties up to most_per_call entries. */
	bool clear(EntryRange range) const;

private:
	unsigned long address(TceIndex index) const { return m_page.address(index).value(); }

	unsigned long m_liobn;
	PageShift m_page;
};

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TceCalls: writes entries of one of the hypervisor's tables, with as few calls as it has: up to
 * 512 entries with one where it has multi-TCE calls, one by one where it has not.
 *
 * Any context. The caller keeps others off the same entries.
 *
 * Source: LoPAR, H_PUT_TCE, H_PUT_TCE_INDIRECT, H_STUFF_TCE.
 */
#pragma once

#include "arch/powerpc/kernel/table.h"

namespace tce {

/* What a multi-TCE call takes. */
constexpr Entries most_per_call{ 512 };

/* At module load. */
void find_multi_tce_calls();

class TceCalls {
public:
	TceCalls(unsigned long liobn, PageShift page) : m_liobn(liobn), m_page(page) {}

	/* False: the hypervisor has refused, and may have done a part of it. */
	bool put(TceIndex index, unsigned long tce) const;
	/* @list: up to most_per_call TCEs, in a page of 4 KiB of their own. */
	bool put_list(EntryRange range, AtomicBigEndian *list) const;
	/* Empties any number of entries. */
	bool clear(EntryRange range) const;

private:
	bool clear_some(EntryRange range) const;
	unsigned long address(TceIndex index) const { return index.value() << m_page.value(); }

	unsigned long m_liobn;
	PageShift m_page;
};

} /* namespace tce */

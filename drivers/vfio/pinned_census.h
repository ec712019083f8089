/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PinnedCensus: which kernel pages a v1 container has pinned, and what it is charged for them.
 *
 * ENABLE charges what the window can map. Where a kernel page is larger than an IOMMU page, the
 * pages that are pinned can be more: each entry can lead to another kernel page, of which it maps a
 * part. Kernel pages beyond those that ENABLE has charged are charged in addition, and are given
 * back when they are unpinned. Where both sizes are the same nothing is counted.
 *
 * Locking: the container's lock. Process context; may sleep.
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"
#include "drivers/vfio/address_space.h"
#include "kernel/census.h"

namespace tce {

class PinnedCensus {
public:
	PinnedCensus() = default;
	PinnedCensus(const PinnedCensus &) = delete;
	PinnedCensus &operator=(const PinnedCensus &) = delete;
	~PinnedCensus() { stop(); }

	/* Begins to count pages, of which @included are charged to @mm already. -ENOMEM. */
	Result<void> start(const AddressSpace &mm, Pages included);
	/* Forgets them, and gives back what was charged in addition. */
	void stop();

	/* If not, nobody need tell of pins. */
	bool is_counting() const { return m_pages; }
	/* Counts a pin of the kernel page that @page is in. -ENOMEM, not counted. */
	Result<void> add(HostPhys page);
	/* Takes back the count of a pin. */
	void remove(HostPhys page);

	/*
	 * Charges the counted pages that are not charged yet. -ENOMEM beyond the limit: none is
	 * charged.
	 */
	Result<void> charge();

private:
	glue_census *m_pages = nullptr;
	AddressSpace m_mm;
	unsigned long m_distinct = 0;
	unsigned long m_included = 0;
	unsigned long m_charged = 0; /* in addition */
};

} /* namespace tce */

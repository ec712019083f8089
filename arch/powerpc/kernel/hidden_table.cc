// SPDX-License-Identifier: GPL-2.0-only
/* What KVM's H_PUT_TCE handlers see of a table that is hidden from them. Any context, no lock. */
#include "arch/powerpc/kernel/entry_words.h"

using namespace tce;

/*
 * KVM empties an entry, looks for the region that it is to be counted down in, finds none, puts the
 * entry back and lets the user do it. An entry that it sees as mapped takes it that way: one that
 * the device can only read, since the kernel would mark a page dirty that may be unpinned by now.
 */
extern "C" int tce_hidden_exchange(iommu_table *table, unsigned long index, unsigned long *hpa,
				   unsigned int *direction)
{
	Geometry geometry = Geometry::of(table);
	AtomicBigEndian *word = Levels::of_tces(geometry)
					.find(tce_root(geometry), geometry.place(TceIndex(index)))
					.word;
	unsigned long entry = word ? word->load() : 0;

	*hpa = decode_page(entry).value();
	*direction = static_cast<unsigned int>(entry ? Direction::ToDevice : Direction::None);
	return 0;
}

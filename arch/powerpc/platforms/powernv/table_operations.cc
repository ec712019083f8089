// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of our own tables that the kernel calls: KVM's H_PUT_TCE handlers, from any CPU,
 * without a lock and without sleeping; and the end of a table's last reference.
 */
#include "arch/powerpc/platforms/powernv/entry_words.h"
#include "arch/powerpc/platforms/powernv/invalidation.h"

using namespace tce;

extern "C" int tce_powernv_exchange(iommu_table *table, unsigned long index, unsigned long *hpa,
				    unsigned int *direction)
{
	Geometry geometry = Geometry::of(table);
	unsigned long place = geometry.place(TceIndex(index));
	Direction wanted = static_cast<Direction>(*direction);
	AtomicBigEndian *word = Levels::of_tces(geometry).find(tce_root(geometry), place).word;

	/* The view's word was asked for before, and with it came the TCE's block. */
	if (!word && wanted != Direction::None)
		return static_cast<int>(Error(Errno::NoMemory).as_kernel());

	kcxx::BigEndian tce(encode_tce(HostPhys(*hpa), permissions(wanted)));
	unsigned long old = word ? word->exchange(tce).value() : 0;

	*hpa = decode_page(old).value();
	*direction = static_cast<unsigned int>(decode_direction(old));
	return 0;
}

/*
 * KVM empties an entry, looks for the region that it is to be counted down in, finds none, puts the
 * entry back and lets the user do it. An entry that it sees as mapped takes it that way: one that
 * the device can only read, since the kernel would mark a page dirty that may be unpinned by now.
 */
extern "C" int tce_powernv_peek(iommu_table *table, unsigned long index, unsigned long *hpa,
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

extern "C" void tce_powernv_kill(iommu_table *table, unsigned long index, unsigned long pages)
{
	invalidate_in_all_pes(table, Geometry::of(table).page(),
			      { TceIndex(index), Entries(pages) });
}

extern "C" void *tce_powernv_view(iommu_table *table, unsigned long index, bool allocate)
{
	Geometry geometry = Geometry::of(table);

	if (allocate) {
		Result<EntryWords> words =
			reserve_entry(table, geometry, TceIndex(index), MaySleep::No);

		return words.is_error() ? nullptr : words.value().view;
	}

	AtomicBigEndian *root = view_root(table);

	if (!root)
		return nullptr;
	return Levels::of_view(geometry).find(root, geometry.place(TceIndex(index))).word;
}

extern "C" void tce_powernv_free(iommu_table *table)
{
	Geometry geometry = Geometry::of(table);

	Levels::of_tces(geometry).free_all(tce_root(geometry));
	if (view_root(table))
		Levels::of_view(geometry).free_all(view_root(table));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of our own tables that the kernel calls: KVM's H_PUT_TCE handlers, from any CPU,
 * without a lock and without sleeping; and the end of a table's last reference.
 */
#include "arch/powerpc/kernel/entry_words.h"
#include "arch/powerpc/platforms/powernv/invalidation.h"
#include "glue/powernv.h"

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

extern "C" void tce_powernv_kill(iommu_table *table, unsigned long index, unsigned long pages)
{
	invalidate_in_all_pes(table, Geometry::of(table).page(),
			      { TceIndex(index), Entries(pages) });
}

extern "C" void *tce_powernv_view(iommu_table *table, unsigned long index, bool allocate)
{
	return view_word(table, TceIndex(index), allocate);
}

extern "C" void tce_powernv_free(iommu_table *table)
{
	free_blocks(table);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of a partition's tables that the kernel calls: KVM's H_PUT_TCE handlers, when the
 * partition itself has guests, from any CPU, without the container's lock and without sleeping; and
 * the end of a table's last reference.
 */
#include "arch/powerpc/kernel/entry_words.h"
#include "arch/powerpc/platforms/pseries/partition_table.h"
#include "arch/powerpc/platforms/pseries/table_lock.h"

using namespace tce;

extern "C" int tce_partition_exchange(iommu_table *table, unsigned long index, unsigned long *hpa,
				      unsigned int *direction)
{
	Geometry geometry = Geometry::of(table);
	Direction wanted = static_cast<Direction>(*direction);
	AtomicBigEndian *copy = Levels::of_tces(geometry)
					.find(tce_root(geometry), geometry.place(TceIndex(index)))
					.word;

	/* The view's word was asked for before, and with it came the block of the copies. */
	if (!copy && wanted != Direction::None)
		return static_cast<int>(Error(Errno::NoMemory).as_kernel());

	unsigned long old = 0;

	if (copy) {
		TableLock lock(table);
		unsigned long tce = encode_tce(HostPhys(*hpa), partition_permissions(wanted));
		TceCalls calls(glue_table_liobn(table), geometry.page());

		old = copy->exchange(kcxx::BigEndian(tce)).value();
		if (!calls.put(TceIndex(index), tce)) {
			copy->store(old);
			return static_cast<int>(Error(Errno::Io).as_kernel());
		}
	}
	*hpa = decode_page(old).value();
	*direction = static_cast<unsigned int>(decode_direction(old));
	return 0;
}

extern "C" void *tce_partition_view(iommu_table *table, unsigned long index, bool allocate)
{
	return view_word(table, TceIndex(index), allocate);
}

extern "C" void tce_partition_free(iommu_table *table)
{
	free_blocks(table);
}

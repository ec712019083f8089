// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of our own tables that the kernel calls: KVM's H_PUT_TCE handlers, from any CPU,
 * without a lock and without sleeping; and the end of a table's last reference.
 */
#include "arch/powerpc/platforms/powernv/entry_words.h"

namespace tce {

namespace {

/*
 * Up to here a PE's cached entries are killed page by page, which costs the firmware one access to
 * the PHB for each; beyond, all that the PE has cached is killed with one. See
 * Documentation/performance.rst.
 */
constexpr unsigned long most_pages_to_kill = 32;

struct KillRequest {
	unsigned long page_size;
	unsigned long address;
	unsigned long pages;
};

void kill_in_pe(const glue_pe *pe, void *data)
{
	const KillRequest &request = *static_cast<const KillRequest *>(data);

	if (request.pages > most_pages_to_kill)
		glue_opal_kill_pe(pe);
	else
		glue_opal_kill_pages(pe, request.page_size, request.address, request.pages);
}

glue_table_geometry geometry_of(iommu_table *table)
{
	glue_table_geometry geometry;

	glue_table_get_geometry(table, &geometry);
	return geometry;
}

} /* namespace */

} /* namespace tce */

using namespace tce;

extern "C" int tce_powernv_exchange(iommu_table *table, unsigned long index, unsigned long *hpa,
				    unsigned int *direction)
{
	unsigned long place = index - geometry_of(table).offset;
	Direction wanted = static_cast<Direction>(*direction);
	AtomicBigEndian *word;

	if (wanted == Direction::None)
		word = levels_of(table).find(tce_root(table), place).word;
	else
		word = levels_of(table).find_or_add(tce_root(table), place, MaySleep::No);

	unsigned long old = 0;

	if (word)
		old = word->exchange(encode_tce(HostPhys(*hpa), wanted));
	else if (wanted != Direction::None)
		return static_cast<int>(Error(Errno::NoMemory).as_kernel());
	*hpa = decode_page(old).value();
	*direction = static_cast<unsigned int>(decode_direction(old));
	return 0;
}

extern "C" void tce_powernv_kill(iommu_table *table, unsigned long index, unsigned long pages)
{
	unsigned long page_shift = geometry_of(table).page_shift;
	KillRequest request = { 1UL << page_shift, index << page_shift, pages };

	glue_link_for_each(table, kill_in_pe, &request);
}

extern "C" void *tce_powernv_view(iommu_table *table, unsigned long index, bool allocate)
{
	unsigned long place = index - geometry_of(table).offset;

	/* KVM takes no for an answer here, but not from the exchange that follows. */
	if (allocate) {
		Result<EntryWords> words = reserve_entry(table, place, MaySleep::No);

		return words.is_error() ? nullptr : words.value().view;
	}

	AtomicBigEndian *root = view_root(table);

	return root ? levels_of(table).find(root, place).word : nullptr;
}

extern "C" void tce_powernv_free(iommu_table *table)
{
	Levels levels = levels_of(table);

	levels.free_all(tce_root(table));
	if (view_root(table))
		levels.free_all(view_root(table));
}

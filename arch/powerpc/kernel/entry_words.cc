// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/entry_words.h"

namespace tce {

namespace {

/* The view's top block, made if there is none; nullptr: no memory. */
AtomicBigEndian *reserve_view_root(iommu_table *table, const Levels &levels, MaySleep may_sleep)
{
	AtomicBigEndian *root = view_root(table);

	if (root)
		return root;

	AtomicBigEndian *block = levels.allocate_block(may_sleep);

	if (!block)
		return nullptr;
	root = static_cast<AtomicBigEndian *>(glue_table_publish_view_root(table, block));
	if (root != block)
		levels.free_block(block);
	return root;
}

} /* namespace */

AtomicBigEndian *tce_root(const Geometry &geometry)
{
	return static_cast<AtomicBigEndian *>(geometry.base());
}

AtomicBigEndian *view_root(iommu_table *table)
{
	return static_cast<AtomicBigEndian *>(glue_table_view_root(table));
}

Result<EntryWords> reserve_entry(iommu_table *table, const Geometry &geometry, TceIndex index,
				 MaySleep may_sleep)
{
	Levels view_levels = Levels::of_view(geometry);
	unsigned long place = geometry.place(index);
	AtomicBigEndian *tce =
		Levels::of_tces(geometry).find_or_add(tce_root(geometry), place, may_sleep);
	AtomicBigEndian *root = tce ? reserve_view_root(table, view_levels, may_sleep) : nullptr;
	AtomicBigEndian *view = root ? view_levels.find_or_add(root, place, may_sleep) : nullptr;

	if (!view)
		return Errno::NoMemory;
	return EntryWords{ tce, view };
}

EntryWords find_entry(iommu_table *table, const Geometry &geometry, TceIndex index)
{
	AtomicBigEndian *root = view_root(table);
	unsigned long place = geometry.place(index);
	AtomicBigEndian *view = root ? Levels::of_view(geometry).find(root, place).word : nullptr;

	if (!view)
		return {};
	return { Levels::of_tces(geometry).find(tce_root(geometry), place).word, view };
}

void free_blocks(iommu_table *table)
{
	Geometry geometry = Geometry::of(table);

	Levels::of_tces(geometry).free_all(tce_root(geometry));
	if (view_root(table))
		Levels::of_view(geometry).free_all(view_root(table));
}

} /* namespace tce */

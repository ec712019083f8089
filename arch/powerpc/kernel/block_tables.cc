// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/block_tables.h"

#include "arch/powerpc/kernel/entry_words.h"
#include "arch/powerpc/kernel/level_shape.h"

namespace tce {

namespace {

/* The blocks of the view are no larger than those of the TCEs: a leaf ends with the former. */
Leaf leaf_of(const Geometry &geometry, TceIndex index, AtomicBigEndian *tce, AtomicBigEndian *view)
{
	return { tce, view, geometry.left_in_block(index, LevelShape::least_shift) };
}

} /* namespace */

Leaf find_block_leaf(const Table &table, TceIndex index)
{
	const Geometry &geometry = table.geometry();
	AtomicBigEndian *root = view_root(table.kernel());

	/* Nothing was mapped at all. */
	if (!root)
		return { nullptr, nullptr, geometry.entries().end() - index };

	Levels view_levels = Levels::of_view(geometry);
	unsigned long place = geometry.place(index);
	Walk view = view_levels.find(root, place);
	Entries left = geometry.left_in_block(index, view.levels * view_levels.shift());

	if (!view.word)
		return { nullptr, nullptr, left };
	return leaf_of(geometry, index,
		       Levels::of_tces(geometry).find(tce_root(geometry), place).word, view.word);
}

Result<Leaf> reserve_block_leaf(const Table &table, TceIndex index)
{
	const Geometry &geometry = table.geometry();
	EntryWords words = TRY(reserve_entry(table.kernel(), geometry, index, MaySleep::Yes));

	return leaf_of(geometry, index, words.tce, words.view);
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/own_tables/entry_blocks.h"

namespace tce {

EntryBlocks::EntryBlocks(const Geometry &geometry)
	: m_geometry(geometry), m_tces(Levels::of_tces(geometry)), m_view(Levels::of_view(geometry))
{
}

EntryBlocks::~EntryBlocks()
{
	m_tces.free_all(tce_root());
	if (AtomicBigEndian *root = m_view_root.take())
		m_view.free_all(root);
}

TableMemory EntryBlocks::memory() const
{
	AtomicBigEndian *view = m_view_root.get();

	return { m_tces.memory(tce_root()), view ? m_view.memory(view) : Bytes() };
}

Result<EntryWords> EntryBlocks::add(TceIndex index, MaySleep may_sleep)
{
	Place place = m_geometry.place(index);
	AtomicBigEndian *tce = m_tces.find_or_add(tce_root(), place, may_sleep);
	AtomicBigEndian *root = tce ? reserve_view_root(may_sleep) : nullptr;
	AtomicBigEndian *view = root ? m_view.find_or_add(root, place, may_sleep) : nullptr;

	if (!view)
		return Errno::NoMemory;
	return EntryWords{ tce, view };
}

/* Of an entry without a word of the view. */
Leaf EntryBlocks::find_hole(TceIndex index) const
{
	AtomicBigEndian *root = m_view_root.get();

	/* Nothing was mapped at all. */
	if (!root)
		return Leaf::hole(m_geometry.entries().end() - index);

	Walk view = m_view.find(root, m_geometry.place(index));

	return Leaf::hole(m_geometry.left_in_block(index, view.levels * m_view.shift()));
}

EntryBlocks::Tces EntryBlocks::find_tces(TceIndex index, Entries limit) const
{
	Walk walk = m_tces.find(tce_root(), m_geometry.place(index));
	Entries left = m_geometry.left_in_block(index, walk.levels * m_tces.shift());

	return { walk.word, least(left, limit) };
}

/* Made if there is none; nullptr: no memory. */
AtomicBigEndian *EntryBlocks::reserve_view_root(MaySleep may_sleep)
{
	AtomicBigEndian *root = m_view_root.get();

	if (root)
		return root;

	AtomicBigEndian *block = m_view.allocate_block(may_sleep);

	if (!block)
		return nullptr;
	root = m_view_root.set(block);
	if (root != block)
		m_view.free_block(block);
	return root;
}

} /* namespace tce */

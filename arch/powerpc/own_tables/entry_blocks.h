/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EntryBlocks: the entries of a table of our own, with TCEs and userspace view in blocks of memory
 * (Levels), a block of which is added when something is mapped there first.
 *
 * The blocks of the TCEs are added before those of the view: where there is a word of the view,
 * there is one of the TCE. Any context, no lock.
 */
#pragma once

#include "arch/powerpc/tce/leaf.h"
#include "arch/powerpc/own_tables/levels.h"
#include "kcxx/published.h"

namespace tce {

/* The two words of an entry: the TCE, and the user's address in the view. */
struct EntryWords {
	AtomicBigEndian *tce;
	AtomicBigEndian *view;
};

/* What the blocks of a table take. */
struct TableMemory {
	Bytes tces;
	Bytes view;
};

class EntryBlocks {
public:
	/* Takes over the top block of the TCEs, which @geometry has. */
	explicit EntryBlocks(const Geometry &geometry);
	EntryBlocks(const EntryBlocks &) = delete;
	EntryBlocks &operator=(const EntryBlocks &) = delete;
	/* When nobody uses the table any more. */
	~EntryBlocks();

	const Geometry &geometry() const { return m_geometry; }

	TableMemory memory() const;

	/* Both words, or two nullptr where a block is missing: nothing was mapped there then. */
	[[gnu::always_inline]] EntryWords find(TceIndex index) const
	{
		AtomicBigEndian *root = m_view_root.get();

		if (!root) [[unlikely]]
			return {};

		Place place = m_geometry.place(index);
		AtomicBigEndian *view = m_view.find(root, place).word;

		if (!view) [[unlikely]]
			return {};
		/*
		 * A block of the view is published after that of its TCEs: who sees it sees both.
		 */
		kcxx::read_barrier();
		return { m_tces.find(tce_root(), place).word, view };
	}

	/* Both words of the entry @index, made if missing. -ENOMEM. */
	Result<EntryWords> reserve(TceIndex index, MaySleep may_sleep)
	{
		EntryWords words = find(index);

		if (words.view) [[likely]]
			return words;
		return add(index, may_sleep);
	}

	/* See Table. */
	Leaf find_leaf(TceIndex index) const
	{
		EntryWords words = find(index);

		if (words.view) [[likely]]
			return leaf(index, words);
		return find_hole(index);
	}
	Result<Leaf> reserve_leaf(TceIndex index)
	{
		return leaf(index, TRY(reserve(index, MaySleep::Yes)));
	}

	/* The TCEs that lie side by side from @index on, of the first @limit; a hole has none. */
	struct Tces {
		AtomicBigEndian *first;
		Entries count;
	};
	Tces find_tces(TceIndex index, Entries limit) const;

private:
	AtomicBigEndian *tce_root() const
	{
		return static_cast<AtomicBigEndian *>(m_geometry.base());
	}
	[[gnu::noinline]] Result<EntryWords> add(TceIndex index, MaySleep may_sleep);
	AtomicBigEndian *reserve_view_root(MaySleep may_sleep);
	[[gnu::noinline]] Leaf find_hole(TceIndex index) const;
	/* The blocks of the view are no larger than those of the TCEs: a leaf ends with the former.
	 */
	Leaf leaf(TceIndex index, EntryWords words) const
	{
		return Leaf::in_memory(words.tce, words.view,
				       m_geometry.left_in_block(index, LevelShape::least_shift));
	}

	const Geometry m_geometry;
	const Levels m_tces;
	const Levels m_view;
	/* The view's top block: none until something is mapped. */
	kcxx::Published<AtomicBigEndian> m_view_root;
};

} /* namespace tce */

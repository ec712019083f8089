/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Levels: the walk over the blocks of a table with one or more levels. The TCEs of a table and its
 * userspace view are walked in the same way; an entry of a block above the lowest level is 0 or
 * points to a block of the next level, as the PHB wants it.
 *
 * Blocks are only ever added while a table is in use, and published by compare-and-exchange: two
 * CPUs that want the same block at the same time both get the one that was first, and the loser
 * frees its own. Any context, no lock.
 */
#pragma once

#include "arch/powerpc/tce/geometry.h"
#include "arch/powerpc/tce/level_shape.h"
#include "arch/powerpc/tce/tce_format.h"
#include "kcxx/big_endian.h"
#include "kernel/memory.h"

namespace tce {

using kcxx::AtomicBigEndian;

enum class MaySleep : bool { No, Yes };

/* Where a walk ended: in a block of the lowest level, or at a block that is missing. */
struct Walk {
	AtomicBigEndian *word; /* of the entry; nullptr: a block is missing */
	unsigned int levels;   /* how many levels the block covers: 1 for one of the lowest */
};

class Levels {
public:
	/*
	 * Of a table's TCEs, in the shape that the user asked for; and of its userspace view, which
	 * no PHB reads: in blocks of a page, so that little is allocated where little is mapped,
	 * and little is looked at when a table is cleared.
	 */
	static Levels of_tces(const Geometry &geometry)
	{
		return Levels(geometry.indirect_levels(), geometry.level_shift(), geometry.node());
	}
	static Levels of_view(const Geometry &geometry)
	{
		LevelShape shape = LevelShape::of_least_blocks(
			kcxx::log2_floor(geometry.entries().count.value()));

		return Levels(shape.levels() - 1, shape.shift(), geometry.node());
	}

	/* Finds the word of the entry at @place. Allocates nothing. */
	Walk find(AtomicBigEndian *root, Place place) const
	{
		AtomicBigEndian *block = root;

		for (unsigned int level = m_indirect; level; --level) {
			unsigned long entry = block[slot(place, level)].load_pointer();

			if (!entry)
				return { nullptr, level };
			block = block_at(entry);
		}
		return { &block[slot(place, 0)], 1 };
	}

	/* The same with missing blocks added; nullptr: no memory. */
	AtomicBigEndian *find_or_add(AtomicBigEndian *root, Place place, MaySleep may_sleep) const
	{
		AtomicBigEndian *block = root;

		for (unsigned int level = m_indirect; level; --level) {
			AtomicBigEndian *parent = &block[slot(place, level)];
			unsigned long entry = parent->load_pointer();

			block = entry ? block_at(entry) : add_block(parent, may_sleep);
			if (!block)
				return nullptr;
		}
		return &block[slot(place, 0)];
	}

	/* A block of zeroes, or nullptr. */
	AtomicBigEndian *allocate_block(MaySleep may_sleep) const;
	void free_block(AtomicBigEndian *block) const;

	/* Frees the block @root and all below it; nobody uses them any more. */
	void free_all(AtomicBigEndian *root) const { free_below(root, m_indirect); }

	/* What the block @root and all below it take. */
	Bytes memory(AtomicBigEndian *root) const { return memory_below(root, m_indirect); }

	unsigned long block_size() const { return kcxx::power_of_two(m_shift + tce_size_shift); }

	/* Where the PHB finds a block. */
	static HostPhys real_address(AtomicBigEndian *block)
	{
		return HostPhys(reinterpret_cast<unsigned long>(block) & ~linear_mapping);
	}

	unsigned int shift() const { return m_shift; }

private:
	Levels(unsigned int indirect_levels, unsigned int shift, int node)
		: m_indirect(indirect_levels), m_shift(shift), m_node(node)
	{
	}

	/* The kernel's linear mapping: real addresses with the top bits set. */
	static constexpr unsigned long linear_mapping =
		static_cast<unsigned long>(KERNEL_PAGE_OFFSET);

	static AtomicBigEndian *block_at(unsigned long level_entry)
	{
		return reinterpret_cast<AtomicBigEndian *>(decode_page(level_entry).value() |
							   linear_mapping);
	}
	unsigned long slot(Place place, unsigned int level) const
	{
		return kcxx::divided(place.value(), level * m_shift) &
		       (kcxx::power_of_two(m_shift) - 1);
	}
	AtomicBigEndian *add_block(AtomicBigEndian *parent, MaySleep may_sleep) const;
	void free_below(AtomicBigEndian *block, unsigned int level) const;
	Bytes memory_below(AtomicBigEndian *block, unsigned int level) const;

	unsigned int m_indirect;
	unsigned int m_shift;
	int m_node;
};

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/levels.h"

namespace tce {

namespace {

/* The kernel's linear mapping: an address in it is the real address with the top bits set. */
constexpr unsigned long linear_mapping = static_cast<unsigned long>(KERNEL_PAGE_OFFSET);

AtomicBigEndian *block_at(unsigned long level_entry)
{
	return reinterpret_cast<AtomicBigEndian *>(decode_page(level_entry).value() |
						   linear_mapping);
}

} /* namespace */

HostPhys Levels::real_address(AtomicBigEndian *block)
{
	return HostPhys(reinterpret_cast<unsigned long>(block) & ~linear_mapping);
}

Walk Levels::find(AtomicBigEndian *root, unsigned long index) const
{
	AtomicBigEndian *block = root;

	for (unsigned int level = m_indirect; level; --level) {
		unsigned long entry = block[slot(index, level)].load_acquire();

		if (!entry)
			return { nullptr, level };
		block = block_at(entry);
	}
	return { &block[slot(index, 0)], 1 };
}

AtomicBigEndian *Levels::find_or_add(AtomicBigEndian *root, unsigned long index,
				     MaySleep may_sleep) const
{
	AtomicBigEndian *block = root;

	for (unsigned int level = m_indirect; level; --level) {
		AtomicBigEndian *parent = &block[slot(index, level)];
		unsigned long entry = parent->load_acquire();

		block = entry ? block_at(entry) : add_block(parent, may_sleep);
		if (!block)
			return nullptr;
	}
	return &block[slot(index, 0)];
}

AtomicBigEndian *Levels::allocate_block(MaySleep may_sleep) const
{
	return static_cast<AtomicBigEndian *>(
		glue_level_alloc(m_node, block_size(), may_sleep == MaySleep::Yes));
}

void Levels::free_block(AtomicBigEndian *block) const
{
	glue_level_free(block, block_size());
}

/* The block that the empty entry @parent points to from now on. */
AtomicBigEndian *Levels::add_block(AtomicBigEndian *parent, MaySleep may_sleep) const
{
	AtomicBigEndian *block = allocate_block(may_sleep);

	if (!block)
		return nullptr;

	unsigned long first = parent->publish(encode_level(real_address(block)));

	if (!first)
		return block;
	free_block(block);
	return block_at(first);
}

void Levels::free_below(AtomicBigEndian *block, unsigned int level) const
{
	for (unsigned long i = 0; level && i < 1UL << m_shift; ++i) {
		unsigned long entry = block[i].load();

		if (entry)
			free_below(block_at(entry), level - 1);
	}
	free_block(block);
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/own_tables/levels.h"

namespace tce {

AtomicBigEndian *Levels::allocate_block(MaySleep may_sleep) const
{
	return static_cast<AtomicBigEndian *>(
		glue_alloc_block(m_node, block_size(), may_sleep == MaySleep::Yes));
}

void Levels::free_block(AtomicBigEndian *block) const
{
	glue_free_block(block, block_size());
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
	for (unsigned long i = 0; level && i < kcxx::power_of_two(m_shift); ++i) {
		unsigned long entry = block[i].load();

		if (entry)
			free_below(block_at(entry), level - 1);
	}
	free_block(block);
}

Bytes Levels::memory_below(AtomicBigEndian *block, unsigned int level) const
{
	Bytes sum(block_size());

	for (unsigned long i = 0; level && i < kcxx::power_of_two(m_shift); ++i) {
		unsigned long entry = block[i].load_pointer();

		if (entry)
			sum += memory_below(block_at(entry), level - 1);
	}
	return sum;
}

} /* namespace tce */

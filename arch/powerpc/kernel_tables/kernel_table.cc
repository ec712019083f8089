// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel_tables/kernel_table.h"

#include "arch/powerpc/tce/traced.h"

namespace tce {

Leaf KernelTable::find_leaf(TceIndex index) const
{
	AtomicBigEndian *word = view(index, false);

	return word ? Leaf::by_operation(word, left_in_leaf(index))
		    : Leaf::hole(left_in_leaf(index));
}

Result<Leaf> KernelTable::reserve_leaf(TceIndex index) const
{
	AtomicBigEndian *word = view(index, true);

	if (!word)
		return Errno::NoMemory;
	return Leaf::by_operation(word, left_in_leaf(index));
}

Result<OldEntry> KernelTable::exchange(TceIndex index, HostPhys page, Direction direction) const
{
	unsigned long hpa = page.value();
	unsigned int kernel_direction = static_cast<unsigned int>(direction);
	int ret = glue_table_exchange(m_table, index.value(), &hpa, &kernel_direction);

	if (ret)
		return Error::from_kernel(ret);
	return OldEntry(
		encode_tce(HostPhys(hpa), permissions(static_cast<Direction>(kernel_direction))));
}

Update KernelTable::invalidate(EntryRange range) const
{
	iommu_tce_kill(m_table, range.first.value(), range.count.value());
	iommu_flush_tce(m_table);
	if (is_traced()) [[unlikely]] {
		PageShift page = m_geometry.page();

		glue_trace_invalidate_table(page.address(range.first).value(),
					    page.bytes(range.count).value());
	}
	return Update::Done;
}

AtomicBigEndian *KernelTable::view(TceIndex index, bool allocate) const
{
	return static_cast<AtomicBigEndian *>(glue_table_view(m_table, index.value(), allocate));
}

/* A table without indirect levels is one leaf. */
Entries KernelTable::left_in_leaf(TceIndex index) const
{
	return m_geometry.left_in_block(
		index, m_geometry.indirect_levels() ? m_geometry.level_shift() : 64);
}

} /* namespace tce */

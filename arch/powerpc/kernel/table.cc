// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/table.h"

#include "arch/powerpc/kernel/table_platform.h"

namespace tce {

Result<EntryRange> Geometry::range(Ioba start, Bytes size) const
{
	if (!page().divides(start.value()) || !page().divides(size.value()) || !size.value())
		return Errno::Invalid;

	/* Compared as entries: the byte just past the last window may be 2^64. */
	TceIndex first(start.value() >> m_kernel.page_shift);
	Entries count(size.value() >> m_kernel.page_shift);

	if (!contains(start) || count > entries().end() - first)
		return Errno::Invalid;
	return EntryRange{ first, count };
}

Entries Geometry::left_in_block(TceIndex index, unsigned int shift) const
{
	Entries left_in_table = entries().end() - index;

	/* One block holds all. */
	if (shift >= 64)
		return left_in_table;

	unsigned long block = 1UL << shift;
	Entries left(block - (place(index) & (block - 1)));

	return left < left_in_table ? left : left_in_table;
}

Table::Table(iommu_table *table, const TablePlatform &platform)
	: m_table(kcxx::Ref<iommu_table>::adopt(table)), m_platform(&platform),
	  m_geometry(Geometry::of(table))
{
}

Leaf Table::find(TceIndex index) const
{
	return m_platform->find_leaf(*this, index);
}

Result<Leaf> Table::reserve(TceIndex index) const
{
	return m_platform->reserve_leaf(*this, index);
}

Result<OldEntry> Table::exchange(TceIndex index, HostPhys page, Direction direction) const
{
	unsigned long hpa = page.value();
	unsigned int kernel_direction = static_cast<unsigned int>(direction);
	int ret = glue_table_exchange(kernel(), index.value(), &hpa, &kernel_direction);

	if (ret)
		return Error::from_kernel(ret);
	return OldEntry(
		encode_tce(HostPhys(hpa), permissions(static_cast<Direction>(kernel_direction))));
}

void Table::invalidate(EntryRange range) const
{
	iommu_tce_kill(kernel(), range.first.value(), range.count.value());
	iommu_flush_tce(kernel());
}

} /* namespace tce */

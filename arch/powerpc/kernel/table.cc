// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/table.h"

namespace tce {

namespace {

Geometry read_geometry(iommu_table *table)
{
	glue_table_geometry geometry;

	glue_table_get_geometry(table, &geometry);
	return Geometry(geometry);
}

} /* namespace */

bool Geometry::contains(Ioba address) const
{
	unsigned long index = address.value() >> m_kernel.page_shift;

	return index >= m_kernel.offset && index - m_kernel.offset < m_kernel.size;
}

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

Entries Geometry::left_in_leaf(TceIndex index) const
{
	Entries left_in_table = entries().end() - index;

	if (!m_kernel.indirect_levels)
		return left_in_table;

	unsigned long place = (index - entries().first).value() & (m_kernel.level_size - 1);
	Entries left_in_level(m_kernel.level_size - place);

	return left_in_level < left_in_table ? left_in_level : left_in_table;
}

Table::Table(iommu_table *table)
	: m_table(kcxx::Ref<iommu_table>::adopt(table)), m_geometry(read_geometry(table))
{
}

AtomicBigEndian *Table::view(TceIndex index, bool allocate) const
{
	return static_cast<AtomicBigEndian *>(glue_table_view(kernel(), index.value(), allocate));
}

void Table::invalidate(EntryRange range) const
{
	iommu_tce_kill(kernel(), range.first.value(), range.count.value());
	iommu_flush_tce(kernel());
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/tables/table_group.h"

namespace tce {

namespace {

constexpr unsigned int iommu_page_4k = 12;

bool is_valid(const WindowShape &shape, const glue_table_group_limits &limits)
{
	/* The table is the hypervisor's, which has no levels that anybody could choose. */
	if (limits.fixed_window)
		return shape.page_shift == iommu_page_4k &&
		       shape.size.value() == limits.tce32_size && shape.levels >= 1;
	if (shape.page_shift >= 64 || !(limits.page_sizes & kcxx::power_of_two(shape.page_shift)))
		return false;
	if (!kcxx::is_power_of_two(shape.size.value()) ||
	    shape.size < PageShift(shape.page_shift).size())
		return false;
	return shape.levels >= 1 && shape.levels <= limits.max_levels;
}

} /* namespace */

TableGroup::TableGroup(iommu_group *group, iommu_table_group *tables, const GroupBackend &platform)
	: m_group(group), m_tables(tables), m_platform(&platform)
{
	glue_table_group_get_limits(tables, &m_limits);
}

TableGroup::TableGroup(iommu_group *group, iommu_table_group *tables, const GroupBackend &platform,
		       const glue_table_group_limits &limits)
	: m_group(group), m_tables(tables), m_platform(&platform), m_limits(limits)
{
}

WindowShape TableGroup::default_window() const
{
	return { .page_shift = iommu_page_4k, .size = default_window_size(), .levels = 1 };
}

bool TableGroup::has_dynamic_windows() const
{
	/* pSeries says -1 where the hypervisor has no dynamic windows. */
	return m_limits.has_window_ops && !m_limits.fixed_window && m_limits.max_windows &&
	       m_limits.max_windows <= max_tables;
}

bool TableGroup::can_share_tables_with(const TableGroup &other) const
{
	return m_platform == other.m_platform && m_platform->tables_serve_many_groups() &&
	       m_limits.kernel_platform == other.m_limits.kernel_platform;
}

Result<TableShape> TableGroup::check(const WindowShape &window) const
{
	if (!is_valid(window, m_limits))
		return Errno::Invalid;

	TableShape shape(window);

	shape.m_memory = TRY(m_platform->table_memory(*this, shape));
	return shape;
}

Result<Table> TableGroup::create_table(unsigned int num, const TableShape &shape) const
{
	return m_platform->create_table(*this, num, shape);
}

Result<void> TableGroup::set_window(unsigned int num, const Table &table) const
{
	return m_platform->set_window(*this, num, table);
}

Result<void> TableGroup::unset_window(unsigned int num, const Table &table) const
{
	return m_platform->unset_window(*this, num, table);
}

} /* namespace tce */

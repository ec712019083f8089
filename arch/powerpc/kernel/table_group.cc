// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/table_group.h"

namespace tce {

namespace {

constexpr unsigned int iommu_page_4k = 12;
constexpr unsigned int tce_size_shift = 3;

/* A table level has this many bytes (log2); all levels of a table have the same. */
unsigned int level_shift(const WindowShape &shape)
{
	unsigned long entries_shift = kcxx::log2_floor(shape.size.value()) - shape.page_shift;
	unsigned int per_level =
		static_cast<unsigned int>(kcxx::divide_round_up(entries_shift, shape.levels));

	return per_level + tce_size_shift;
}

bool is_valid(const WindowShape &shape, const glue_table_group_limits &limits)
{
	if (shape.page_shift >= 64 || !(limits.page_sizes & 1UL << shape.page_shift))
		return false;
	if (!kcxx::is_power_of_two(shape.size.value()) ||
	    shape.size < PageShift(shape.page_shift).size())
		return false;
	return shape.levels >= 1 && shape.levels <= limits.max_levels;
}

} /* namespace */

TableGroup::TableGroup(iommu_table_group *group) : m_group(group)
{
	glue_table_group_get_limits(group, &m_limits);
}

Result<TableGroup> TableGroup::of(iommu_group *group)
{
	void *data = iommu_group_get_iommudata(group);

	if (!data)
		return Errno::NoDevice;
	return TableGroup(static_cast<iommu_table_group *>(data));
}

WindowShape TableGroup::default_window() const
{
	return { .page_shift = iommu_page_4k, .size = default_window_size(), .levels = 1 };
}

bool TableGroup::has_dynamic_windows() const
{
	/* pSeries says -1 where the hypervisor has no dynamic windows. */
	return m_limits.has_window_ops && m_limits.max_windows &&
	       m_limits.max_windows <= max_tables;
}

bool TableGroup::can_share_tables_with(const TableGroup &other) const
{
	return m_limits.platform == other.m_limits.platform;
}

Result<Bytes> TableGroup::table_size(const WindowShape &shape) const
{
	if (!is_valid(shape, m_limits))
		return Errno::Invalid;

	/* The platform would print about an allocation that cannot succeed. */
	if (m_limits.tables_in_memory &&
	    level_shift(shape) > KERNEL_PAGE_SHIFT + KERNEL_MAX_PAGE_ORDER)
		return Errno::NoMemory;

	Bytes size(glue_table_group_get_table_size(m_group, shape.page_shift, shape.size.value(),
						   shape.levels));

	if (!size.value())
		return Errno::Invalid;
	return size;
}

Result<Table> TableGroup::create_table(unsigned int num, const WindowShape &shape) const
{
	iommu_table *table = nullptr;
	long ret = glue_table_group_create_table(m_group, static_cast<int>(num), shape.page_shift,
						 shape.size.value(), shape.levels, &table);

	if (ret)
		return Error::from_kernel(ret);
	return Table(table);
}

Result<void> TableGroup::set_window(unsigned int num, const Table &table) const
{
	/* The platform returns the firmware's own codes, which mean other things as errnos. */
	if (glue_table_group_set_window(m_group, static_cast<int>(num), table.kernel()))
		return Errno::Io;

	/* It says nothing, though, when there was no memory to link the table to the group. */
	if (glue_table_group_table(m_group, static_cast<int>(num)) != table.kernel()) {
		glue_table_group_unset_window(m_group, static_cast<int>(num));
		return Errno::NoMemory;
	}
	return {};
}

Result<void> TableGroup::unset_window(unsigned int num) const
{
	if (glue_table_group_unset_window(m_group, static_cast<int>(num)))
		return Errno::Io;
	return {};
}

} /* namespace tce */

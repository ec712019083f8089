// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/kernel/table.h"

#include "arch/powerpc/kernel/kvm_gate.h"
#include "arch/powerpc/kernel/table_platform.h"

namespace tce {

Geometry Geometry::of(iommu_table *table)
{
	glue_table_geometry geometry;

	glue_table_get_geometry(table, &geometry);
	return Geometry(geometry);
}

Table::Table(iommu_table *table, const TablePlatform &platform, KvmGate *gate)
	: m_table(kcxx::Ref<iommu_table>::adopt(table)), m_platform(&platform), m_gate(gate),
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
	return OldEntry(kcxx::BigEndian(encode_tce(
		HostPhys(hpa), tce::permissions(static_cast<Direction>(kernel_direction)))));
}

unsigned long Table::permissions(Direction direction) const
{
	return m_platform->permissions(direction);
}

Reach Table::invalidate(EntryRange range) const
{
	return m_platform->invalidate(*this, range);
}

void Table::open_to_kvm(mm_struct *owner) const
{
	if (m_gate && m_geometry.page() <= kernel_page)
		m_gate->open(owner);
}

void Table::close_to_kvm() const
{
	if (m_gate)
		m_gate->close();
}

void Table::drain_kvm() const
{
	if (m_gate)
		m_gate->drain();
}

void Table::flush_kvm() const
{
	if (m_gate)
		m_gate->flush();
}

} /* namespace tce */

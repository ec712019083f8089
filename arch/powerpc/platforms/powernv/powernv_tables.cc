// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/powernv_tables.h"

#include "arch/powerpc/kernel/block_tables.h"
#include "arch/powerpc/kernel/kvm_gate.h"
#include "arch/powerpc/kernel/level_shape.h"
#include "arch/powerpc/kernel/table_group.h"
#include "arch/powerpc/platforms/powernv/invalidation.h"
#include "glue/powernv.h"

namespace tce {

namespace {

/* The second window of a PE is where PCI address bit 59 is set. */
constexpr unsigned long second_window_start = 1UL << 59;

/* What the PHB can address through a table of several levels. */
constexpr unsigned int max_address_bits = 55;

/* The PHB reads the words themselves. */
class PowernvBackend final : public OwnTableBackend {
public:
	unsigned long permissions(Direction direction) const override
	{
		return tce::permissions(direction);
	}
	Reach put(iommu_table *, const Geometry &, TceIndex, AtomicBigEndian &word,
		  unsigned long tce) const override
	{
		word.store(tce);
		return Reach::Current;
	}
	void invalidate(iommu_table *table, const Geometry &geometry,
			EntryRange range) const override
	{
		invalidate_in_all_pes(table, geometry.page(), range);
	}
};

constinit PowernvBackend powernv_backend;

} /* namespace */

Result<Bytes> PowernvTables::table_size(const TableGroup &, const WindowShape &shape) const
{
	LevelShape levels = LevelShape::of_window(shape);

	if (levels.shift() * levels.levels() + shape.page_shift >= max_address_bits)
		return Errno::Invalid;
	if (!levels.is_allocatable())
		return Errno::NoMemory;

	/* The TCEs and the userspace view. */
	return levels.total_size() +
	       LevelShape::of_least_blocks(levels.entries_shift()).total_size();
}

Result<Table> PowernvTables::create_table(const TableGroup &group, unsigned int num,
					  const WindowShape &shape) const
{
	glue_pe pe;

	if (!glue_pe_of_group(group.group(), &pe))
		return Errno::NoDevice;

	Bytes allocated = TRY(table_size(group, shape));
	LevelShape level_shape = LevelShape::of_window(shape);
	Ioba start = num ? Ioba(second_window_start) : group.default_window_start();
	glue_table_geometry geometry = {
		.offset = start.value() >> shape.page_shift,
		.size = 1UL << level_shape.entries_shift(),
		.page_shift = shape.page_shift,
		.indirect_levels = level_shape.levels() - 1,
		.level_size = 1UL << level_shape.shift(),
		.node = pe.node,
		.base = nullptr,
	};
	Levels levels = Levels::of_tces(Geometry(geometry));
	AtomicBigEndian *root = levels.allocate_block(MaySleep::Yes);

	if (!root)
		return Errno::NoMemory;
	geometry.base = root;

	iommu_table *table = glue_table_create(&geometry, allocated.value());

	if (!table) {
		levels.free_block(root);
		return Errno::NoMemory;
	}
	return adopt_own_table(table, *this, powernv_backend);
}

Result<void> PowernvTables::set_window(const TableGroup &group, unsigned int num,
				       const Table &table) const
{
	glue_pe pe;

	if (!glue_pe_of_group(group.group(), &pe))
		return Errno::NoDevice;

	glue_link *link = glue_link_alloc(&pe);

	if (!link)
		return Errno::NoMemory;

	const Geometry &geometry = table.geometry();
	HostPhys base = Levels::real_address(tce_root(geometry));

	if (glue_opal_map_window(&pe, num, geometry.indirect_levels() + 1, base.value(),
				 Levels::of_tces(geometry).block_size(),
				 geometry.page().size().value())) {
		glue_link_free(link);
		return Errno::Io;
	}
	iommu_tce_table_get(table.kernel());
	glue_link_add(table.kernel(), group.kernel(), link);
	glue_group_set_table(group.kernel(), static_cast<int>(num), table.kernel());

	/* It worked when the group came; better no window than one whose TCEs go stale. */
	if (!invalidate_pe(pe).is_error())
		return {};
	if (unset_window(group, num, table).is_error())
		table.keep_for_ever();
	return Errno::Io;
}

Result<void> PowernvTables::unset_window(const TableGroup &group, unsigned int num,
					 const Table &table) const
{
	glue_pe pe;

	if (!glue_link_find(table.kernel(), group.kernel(), &pe))
		return {};

	bool refused = glue_opal_map_window(&pe, num, 0, 0, 0, 0);

	/* Nothing more could be done about it. */
	static_cast<void>(invalidate_pe(pe));
	glue_group_set_table(group.kernel(), static_cast<int>(num), nullptr);
	glue_link_remove(table.kernel(), group.kernel());
	iommu_tce_table_put(table.kernel());
	return refused ? Result<void>(Errno::Io) : Result<void>();
}

Reach PowernvTables::invalidate(const Table &table, EntryRange range) const
{
	invalidate_in_all_pes(table.kernel(), table.geometry().page(), range);
	return Reach::Current;
}

Leaf PowernvTables::find_leaf(const Table &table, TceIndex index) const
{
	return find_block_leaf(table, index);
}

Result<Leaf> PowernvTables::reserve_leaf(const Table &table, TceIndex index) const
{
	return reserve_block_leaf(table, index);
}

unsigned long PowernvTables::permissions(Direction direction) const
{
	return tce::permissions(direction);
}

/* To map nothing takes a window away, of whichever kind it is. */
Result<void> PowernvTables::take_over(const TableGroup &group) const
{
	glue_pe pe;

	if (!glue_pe_of_group(group.group(), &pe))
		return Errno::NoDevice;
	for (unsigned int num = 0; num < max_tables; ++num) {
		if (glue_opal_map_window(&pe, num, 0, 0, 0, 0))
			return Errno::Io;
	}
	return invalidate_pe(pe);
}

bool PowernvTables::tables_serve_many_groups() const
{
	return true;
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/pseries/partition_table.h"

#include "arch/powerpc/kernel/kvm_gate.h"
#include "arch/powerpc/kernel/level_shape.h"
#include "arch/powerpc/kernel/table_group.h"
#include "glue/pseries.h"

namespace tce {

namespace {

LevelShape copies_shape(Entries entries)
{
	return LevelShape::of_least_blocks(kcxx::log2_floor(entries.value()));
}

Entries least(Entries a, Entries b, Entries c)
{
	Entries ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Pushes up to most_per_call copies that lie side by side. */
bool push_some(iommu_table *table, const TceCalls &calls, EntryRange range,
	       const AtomicBigEndian *copies)
{
	KvmGate::Guard guard(*gate_of(table));
	AtomicBigEndian *list = static_cast<AtomicBigEndian *>(glue_partition_table_list(table));
	unsigned long all_bits = 0;

	for (unsigned long i = 0; i < range.count.value(); ++i) {
		unsigned long tce = copies[i].load();

		list[i].store(tce);
		all_bits |= tce;
	}
	return all_bits ? calls.put_list(range, list) : calls.clear(range);
}

/* What is in the hypervisor's table is what the devices can reach. */
class PartitionBackend final : public OwnTableBackend {
public:
	unsigned long permissions(Direction direction) const override
	{
		return partition_permissions(direction);
	}

	Reach put(iommu_table *table, const Geometry &geometry, TceIndex index,
		  AtomicBigEndian &word, unsigned long tce) const override
	{
		TceCalls calls(glue_table_liobn(table), geometry.page());

		if (calls.put(index, tce)) {
			word.store(tce);
			return Reach::Current;
		}
		if (!calls.clear({ index, Entries(1) }))
			return Reach::Unknown;
		word.store(0);
		return tce ? Reach::Nothing : Reach::Current;
	}

	/* The call has done that. */
	void invalidate(iommu_table *, const Geometry &, EntryRange) const override {}
};

constinit PartitionBackend partition_backend;

} /* namespace */

unsigned long partition_permissions(Direction direction)
{
	return direction == Direction::FromDevice ? tce_write : permissions(direction);
}

Result<Table> create_partition_table(const TablePlatform &platform, unsigned long liobn,
				     PageShift page, EntryRange entries, int node,
				     iommu_table *platform_table)
{
	LevelShape shape = copies_shape(entries.count);
	glue_table_geometry geometry = {
		.offset = entries.first.value(),
		.size = entries.count.value(),
		.page_shift = page.value(),
		.indirect_levels = shape.levels() - 1,
		.level_size = 1UL << shape.shift(),
		.node = node,
		.base = nullptr,
	};
	Levels levels = Levels::of_tces(Geometry(geometry));
	AtomicBigEndian *root = levels.allocate_block(MaySleep::Yes);

	if (!root)
		return Errno::NoMemory;
	geometry.base = root;

	iommu_table *table = glue_partition_table_create(
		&geometry, liobn, partition_table_size(entries.count).value(), platform_table);

	if (!table) {
		levels.free_block(root);
		return Errno::NoMemory;
	}
	return adopt_own_table(table, platform, partition_backend);
}

Bytes partition_table_size(Entries entries)
{
	Bytes copies = copies_shape(entries).total_size();

	return copies + copies;
}

Reach push(iommu_table *table, const Geometry &geometry, EntryRange range)
{
	TceCalls calls(glue_table_liobn(table), geometry.page());
	Levels levels = Levels::of_tces(geometry);

	for (TceIndex at = range.first; at < range.end();) {
		Walk walk = levels.find(tce_root(geometry), geometry.place(at));
		Entries left = geometry.left_in_block(at, walk.levels * levels.shift());
		EntryRange some = { at, least(left, range.end() - at, most_per_call) };

		/* Where there is no block, nothing was ever mapped. */
		if (walk.word && !push_some(table, calls, some, walk.word)) {
			bool all = for_each_part(range, [&](EntryRange part) {
				KvmGate::Guard guard(*gate_of(table));

				return calls.clear(part);
			});

			return all ? Reach::Nothing : Reach::Unknown;
		}
		at += walk.word ? some.count : left;
	}
	return Reach::Current;
}

void put_into_slot(const TableGroup &group, unsigned int num, iommu_table *table)
{
	iommu_tce_table_get(table);
	glue_group_set_table(group.kernel(), static_cast<int>(num), table);
}

void take_out_of_slot(const TableGroup &group, unsigned int num, iommu_table *table)
{
	int slot = static_cast<int>(num);

	if (glue_table_group_table(group.kernel(), slot) != table)
		return;
	glue_group_set_table(group.kernel(), slot, glue_partition_table_platform(table));
	iommu_tce_table_put(table);
}

} /* namespace tce */

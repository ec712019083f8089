// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/pseries/papr_table.h"

#include "arch/powerpc/tce/level_shape.h"

namespace tce {

namespace {

PaprTable &papr(OwnTable &table)
{
	return static_cast<PaprTable &>(table);
}

LevelShape copies_shape(Entries entries)
{
	return LevelShape::of_least_blocks(kcxx::log2_floor(entries.value()));
}

/* What is in the hypervisor's table is what the devices can reach. */
class PaprBackend final : public OwnTableBackend {
public:
	/* TCEs of a partition can allow writing alone. */
	constexpr PaprBackend() : OwnTableBackend(Permissions::Write) {}

	Update put(OwnTable &table, TceIndex index, AtomicBigEndian &word,
		   unsigned long tce) const override
	{
		const TceCalls &calls = papr(table).calls();

		if (calls.put(index, tce)) {
			word.store(tce);
			return Update::Done;
		}
		if (!calls.clear({ index, Entries(1) }))
			return Update::Stale;
		word.store(0);
		return tce ? Update::Cleared : Update::Done;
	}

	/* The call has done that. */
	void invalidate(OwnTable &, EntryRange) const override {}

	Update update(OwnTable &table, EntryRange range) const override
	{
		return papr(table).push(range);
	}

	void destroy(OwnTable &table) const override
	{
		kcxx::Owned<PaprTable> destroyed(&papr(table));
	}
};

constinit PaprBackend papr_backend;

} /* namespace */

PaprTable::PaprTable(const Geometry &geometry, TceCalls calls, TceList list,
		     iommu_table *platform_table)
	: OwnTable(geometry, papr_backend), m_calls(calls), m_list(kcxx::move(list)),
	  m_platform_table(platform_table)
{
}

Result<Table> PaprTable::create(unsigned long liobn, PageShift page, EntryRange entries, int node,
				iommu_table *platform_table)
{
	LevelShape shape = copies_shape(entries.count);
	glue_table_geometry geometry = {
		.offset = entries.first.value(),
		.size = entries.count.value(),
		.page_shift = page.value(),
		.indirect_levels = shape.levels() - 1,
		.level_size = kcxx::power_of_two(shape.shift()),
		.node = node,
		.base = nullptr,
	};
	TceList list = TRY(TceList::allocate(node));
	Result<iommu_table *> table = create_own_table<PaprTable>(
		geometry, liobn, size(entries.count), TceCalls(liobn, page), kcxx::move(list),
		platform_table);

	return Table::of_own(TRY(table));
}

Bytes PaprTable::size(Entries entries)
{
	Bytes copies = copies_shape(entries).total_size();

	return copies + copies;
}

Update PaprTable::push(EntryRange range)
{
	for (TceIndex at = range.first; at < range.end();) {
		EntryBlocks::Tces copies = entries().find_tces(at, range.end() - at);
		Entries count = copies.first ? least(copies.count, most_per_call) : copies.count;

		/* Where there is no block, nothing was ever mapped. */
		if (copies.first && !push_some({ at, count }, copies.first))
			return clear(range);
		at += count;
	}
	return Update::Done;
}

/* Pushes up to most_per_call copies that lie side by side. */
bool PaprTable::push_some(EntryRange range, const AtomicBigEndian *copies)
{
	KvmGate::Guard guard(gate());
	AtomicBigEndian *tces = list(guard);
	unsigned long all_bits = 0;

	for (unsigned long i = 0; i < range.count.value(); ++i) {
		unsigned long tce = copies[i].load();

		tces[i].store(tce);
		all_bits |= tce;
	}
	return all_bits ? m_calls.put_list(range, tces) : m_calls.clear(range);
}

/* Empties the hypervisor's entries, after it has refused some of them. */
Update PaprTable::clear(EntryRange range)
{
	bool all = for_each_part(range, [&](EntryRange part) {
		KvmGate::Guard guard(gate());

		return m_calls.clear(part);
	});

	return all ? Update::Cleared : Update::Stale;
}

} /* namespace tce */

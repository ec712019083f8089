// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/powernv/powernv_table.h"

#include "kernel/sync.h"

namespace tce {

namespace {

PowernvTable &powernv(OwnTable &table)
{
	return static_cast<PowernvTable &>(table);
}

class PowernvBackend final : public OwnTableBackend {
public:
	/* A PHB that may write also reads. */
	constexpr PowernvBackend() : OwnTableBackend(Permissions::ReadWrite) {}

	Update put(OwnTable &, TceIndex, AtomicBigEndian &word, unsigned long tce) const override
	{
		word.store(tce);
		return Update::Done;
	}
	void invalidate(OwnTable &table, EntryRange range) const override
	{
		/* A PE that is linked now, and not seen here, reads the entries as they are now. */
		kcxx::full_barrier();
		glue_rcu_read_lock();
		powernv(table).invalidate_in_pes(range);
		glue_rcu_read_unlock();
	}
	Update update(OwnTable &table, EntryRange range) const override
	{
		powernv(table).invalidate_in_pes(range);
		return Update::Done;
	}
	void destroy(OwnTable &table) const override
	{
		kcxx::Owned<PowernvTable> destroyed(&powernv(table));
	}
};

constinit PowernvBackend powernv_backend;

} /* namespace */

PowernvTable::PowernvTable(const Geometry &geometry) : OwnTable(geometry, powernv_backend) {}

HostPhys PowernvTable::base() const
{
	return Levels::real_address(static_cast<AtomicBigEndian *>(geometry().base()));
}

Bytes PowernvTable::block_size() const
{
	return Bytes(Levels::of_tces(geometry()).block_size());
}

PeLink *PowernvTable::find(iommu_table_group *group) const
{
	return m_links.find([group](const PeLink &link) { return link.group == group; });
}

const PeLink *PowernvTable::find_link(iommu_table_group *group) const
{
	return find(group);
}

void PowernvTable::unlink(iommu_table_group *group)
{
	PeLink *link = find(group);

	m_links.remove(*link);
	/* There is nothing to destroy in it. */
	glue_free_after_readers(link);
}

} /* namespace tce */

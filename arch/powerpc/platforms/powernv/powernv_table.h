/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PowernvTable: a table of our own whose words the PHBs read themselves, and the PEs that use it.
 * Each PE is told, after a change, to forget what it has cached.
 *
 * Locking: PEs are linked and unlinked under the container's lock; others read the list as RCU
 * readers.
 */
#pragma once

#include "arch/powerpc/own_tables/own_table.h"
#include "arch/powerpc/tables/table.h"
#include "arch/powerpc/platforms/powernv/invalidation.h"
#include "kcxx/rcu_list.h"
#include "kcxx/relaxed.h"

namespace tce {

/* A table is the window of a PE. */
struct PeLink : kcxx::RcuList<PeLink>::Links {
	PeLink(iommu_table_group *group, const glue_pe &pe) : group(group), pe(pe) {}

	iommu_table_group *const group;
	const glue_pe pe;
};

class PowernvTable final : public OwnTable {
public:
	explicit PowernvTable(const Geometry &geometry);
	static PowernvTable &of(const Table &table)
	{
		return static_cast<PowernvTable &>(OwnTable::of(table.kernel()));
	}

	/* Where the PHB finds the top block, and how large that is. */
	HostPhys base() const;
	Bytes block_size() const;

	/* From here on the PE is told of changes; it must not read the table before. */
	void link(kcxx::Owned<PeLink> link)
	{
		if (link->pe.tce_kill_register)
			m_has_phb3.store(true);
		m_links.add(*link.release());
		kcxx::full_barrier();
	}
	/* nullptr: no window of that group. */
	const PeLink *find_link(iommu_table_group *group) const;
	/* Of a group that is linked. May sleep. */
	void unlink(iommu_table_group *group);

	/* Makes the PEs forget @range, which is not empty. As a reader of the list. */
	void invalidate_in_pes(EntryRange range) const
	{
		if (m_has_phb3.load()) [[unlikely]]
			invalidate_with_phb3(range);
		else
			m_links.for_each([](const PeLink &link) { invalidate_all_of(link.pe); });
	}

private:
	[[gnu::noinline]] void invalidate_with_phb3(EntryRange range) const
	{
		m_links.for_each([&](const PeLink &link) {
			invalidate_in_pe(link.pe, geometry().page(), range);
		});
	}
	PeLink *find(iommu_table_group *group) const;

	kcxx::RcuList<PeLink> m_links;
	/*
	 * A machine has PHBs of one kind: this is so from the first link on, or never. KVM reads it
	 * when a further group is linked.
	 */
	kcxx::Relaxed<bool> m_has_phb3{ false };
};

} /* namespace tce */

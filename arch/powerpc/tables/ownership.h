/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ownership: while it exists, the windows of a group are its user's, also when the kernel finds
 * another device in the PE (see glue/ownership.h). It exists from before the first window is set
 * until after the last one is unset.
 */
#pragma once

#include "arch/powerpc/glue/ownership.h"
#include "arch/powerpc/tables/table_group.h"

namespace tce {

class Ownership {
public:
	/* -ENOMEM. */
	static Result<Ownership> keep(const TableGroup &group)
	{
		glue_ownership *kept = glue_ownership_keep(group.kernel());

		if (!kept)
			return Errno::NoMemory;
		return Ownership(group, kept);
	}

	Ownership(Ownership &&other) noexcept
		: m_group(other.m_group), m_tables(other.m_tables),
		  m_kept(kcxx::exchange(other.m_kept, nullptr))
	{
	}
	Ownership &operator=(Ownership &&) = delete;
	~Ownership()
	{
		if (m_kept)
			glue_ownership_end(m_kept, m_group, m_tables);
	}

private:
	Ownership(const TableGroup &group, glue_ownership *kept)
		: m_group(group.group()), m_tables(group.kernel()), m_kept(kept)
	{
	}

	iommu_group *m_group;
	iommu_table_group *m_tables;
	glue_ownership *m_kept;
};

} /* namespace tce */

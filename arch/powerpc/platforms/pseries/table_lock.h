/* SPDX-License-Identifier: GPL-2.0-only */
/* TableLock: holds the spinlock of a partition's table while it lives. */
#pragma once

#include "glue/pseries.h"

namespace tce {

class TableLock {
public:
	explicit TableLock(iommu_table *table)
		: m_table(table), m_flags(glue_partition_table_lock(table))
	{
	}
	TableLock(const TableLock &) = delete;
	TableLock &operator=(const TableLock &) = delete;
	~TableLock() { glue_partition_table_unlock(m_table, m_flags); }

private:
	iommu_table *m_table;
	unsigned long m_flags;
};

} /* namespace tce */

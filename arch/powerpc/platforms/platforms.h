/* SPDX-License-Identifier: GPL-2.0-only */
/* Which platform's tables a group gets. */
#pragma once

#include "arch/powerpc/tables/table_group.h"

namespace tce {

/*
 * Chooses, at module load: tables of our own on PowerNV, where the firmware's entry points can be
 * found (the kernel log tells if not), unless @kernel_tables_only; else those of the kernel's own
 * platform code.
 */
void choose_platform(bool kernel_tables_only);

/* At module unload, after the last group and table. */
void release_platform();

/* -ENODEV for a group without TCE tables. May sleep. */
Result<TableGroup> find_table_group(iommu_group *group);

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
/* What the C++ code takes for granted, and is not so. */
#include <linux/bug.h>

#include "kernel/check.h"

#if GLUE_CHECKS

void glue_check_failed(const char *condition)
{
	WARN_ONCE(1, "vfio_iommu_spapr_tce: this does not hold: %s\n", condition);
}

#endif

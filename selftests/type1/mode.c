// SPDX-License-Identifier: GPL-2.0-only
/* Tests without a variant for each kind of container take iommufd, which is not there. */
#include <stdlib.h>

extern const char *default_iommu_mode;

__attribute__((constructor)) static void take_mode(void)
{
	const char *mode = getenv("MODE");

	if (mode)
		default_iommu_mode = mode;
}

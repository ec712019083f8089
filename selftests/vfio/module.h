/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking the module out and putting it back. */
#ifndef SELFTESTS_VFIO_MODULE_H
#define SELFTESTS_VFIO_MODULE_H

#include <stddef.h>

#define MODULE		"vfio_iommu_spapr_tce"
#define MODULE_FILE	"/modules/" MODULE ".ko"

/* The parameters that the module was loaded with; none for the stock module, which has no such. */
void module_parameters(char *parameters, size_t size);
/* 0 or -errno. */
int module_unload(void);
int module_load(const char *parameters);

#endif

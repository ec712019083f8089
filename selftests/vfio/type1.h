/* SPDX-License-Identifier: GPL-2.0-only */
/* Containers of type 1, which the driver has when it is told so. */
#ifndef SELFTESTS_VFIO_TYPE1_H
#define SELFTESTS_VFIO_TYPE1_H

#include "vfio_spapr.h"

#define TYPE1_MOST_RANGES	8

struct type1_info {
	struct vfio_iommu_type1_info fixed;
	uint8_t capabilities[64 + TYPE1_MOST_RANGES * sizeof(struct vfio_iova_range)];
};

/* Whether the driver knows type 1 at all. */
bool type1_is_there(void);
/* Sets a parameter of the driver; "type1" is the one that switches type 1 on. */
void type1_set(const char *parameter, const char *value);
int type1_get_info(int container, struct type1_info *info);
/* The capability of that number, or NULL. */
void *type1_capability(struct type1_info *info, unsigned int id);
/* The first address that can be mapped, or 0. */
uint64_t type1_first_iova(int container);

#define SKIP_WITHOUT_TYPE1() do {						\
	if (!type1_is_there())							\
		SKIP(return, "the driver has no containers of type 1");	\
} while (0)

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "type1.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "balance.h"

#define PARAMETERS	"/sys/module/vfio_iommu_spapr_tce/parameters/"

bool type1_is_there(void)
{
	return !access(PARAMETERS "type1", F_OK);
}

void type1_set(const char *parameter, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), PARAMETERS "%s", parameter);
	balance_write(path, value);
}

int type1_get_info(int container, struct type1_info *info)
{
	memset(info, 0, sizeof(*info));
	info->fixed.argsz = sizeof(*info);
	return spapr_ioctl(container, VFIO_IOMMU_GET_INFO, info);
}

void *type1_capability(struct type1_info *info, unsigned int id)
{
	uint32_t at = info->fixed.flags & VFIO_IOMMU_INFO_CAPS ? info->fixed.cap_offset : 0;

	while (at) {
		struct vfio_info_cap_header *header = (void *)((uint8_t *)info + at);

		if (header->id == id)
			return header;
		at = header->next;
	}
	return NULL;
}

uint64_t type1_first_iova(int container)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct type1_info info;

	if (type1_get_info(container, &info))
		return 0;
	ranges = type1_capability(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	return ranges ? ranges->iova_ranges[0].start : 0;
}

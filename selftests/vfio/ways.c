// SPDX-License-Identifier: GPL-2.0-only
#include "ways.h"

int way_open(enum way way, struct spapr *s)
{
	switch (way) {
	case WAY_V1:
		return spapr_open_v1(s, 0);
	case WAY_TYPE1:
		type1_set("type1", "1");
		return spapr_open_type1(s, 1, VFIO_TYPE1v2_IOMMU);
	default:
		return spapr_open(s, 1);
	}
}

int way_prepare(enum way way, const struct spapr *s, const void *p, size_t size)
{
	int ret;

	switch (way) {
	case WAY_V1:
		return spapr_enable(s->container);
	case WAY_TYPE1:
		return 0;
	default:
		ret = spapr_create_at_0(s->container, size, 1);
		return ret ? ret : spapr_register(s->container, p, size);
	}
}

int way_map(enum way way, const struct spapr *s, const void *p, size_t size)
{
	const uint64_t iova = way == WAY_TYPE1 ? type1_first_iova(s->container) : 0;

	return spapr_map(s->container, iova, p, size, MAP_RW);
}

int way_take(enum way way, const struct spapr *s, const void *p, size_t size)
{
	const int ret = way_prepare(way, s, p, size);

	return ret ? ret : way_map(way, s, p, size);
}

void way_end(enum way way)
{
	if (way == WAY_TYPE1)
		type1_set("type1", "0");
}

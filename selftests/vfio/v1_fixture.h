/* SPDX-License-Identifier: GPL-2.0-only */
/* The fixture of containers of the v1 type. */
#ifndef SELFTESTS_VFIO_V1_FIXTURE_H
#define SELFTESTS_VFIO_V1_FIXTURE_H

#include "fixture.h"

/* One group, its device, the container not enabled yet. */
FIXTURE(v1)
{
	struct balance balance;
	struct spapr s;
	int fd;			/* the container */
	struct edu *edu;
	uint8_t *buffer;
	size_t size;
	/* The last 4K of the buffer, to be mapped at the last 4K of the window. */
	uint8_t *scratch;
	uint64_t scratch_iova;
	uint64_t window_size;
};

FIXTURE_SETUP(v1)
{
	struct vfio_iommu_spapr_tce_info info;

	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	ASSERT_EQ(0, spapr_open_v1(&self->s, 0));
	self->fd = self->s.container;
	self->edu = &self->s.edu[0];
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_EQ(0, spapr_get_info(self->fd, &info));
	ASSERT_EQ(0, info.dma32_window_start);
	self->window_size = info.dma32_window_size;
	self->scratch = self->buffer + self->size - TCE_PAGE_4K;
	self->scratch_iova = self->window_size - TCE_PAGE_4K;
}

FIXTURE_TEARDOWN(v1)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

#endif

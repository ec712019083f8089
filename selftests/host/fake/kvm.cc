// SPDX-License-Identifier: GPL-2.0-only
/* What KVM does to a table from a vCPU, with no lock of the driver. */
#include "fake/kernel.h"

namespace fake {

namespace {

void store_user(unsigned long *word, unsigned long user)
{
	__atomic_store_n(word, __builtin_bswap64(user), __ATOMIC_RELAXED);
}

/* The count of what was taken out of the entry; false where the view does not know it. */
bool drop_count(iommu_table &table, mm_struct &mm, unsigned long index)
{
	unsigned long *word = table.view(index, false);
	mm_iommu_table_group_mem_t *region = word ? mm_iommu_lookup(&mm, table.user_address(index),
								    1UL << table.shape.page_shift)
						  : nullptr;

	if (!region)
		return !word;
	mm_iommu_mapped_dec(region);
	store_user(word, 0);
	return true;
}

bool unmap(iommu_table &table, mm_struct &mm, unsigned long index)
{
	unsigned long hpa = 0;
	unsigned int direction = KERNEL_DMA_NONE;

	table.exchange(index, &hpa, &direction);
	if (direction == KERNEL_DMA_NONE || drop_count(table, mm, index))
		return true;
	table.exchange(index, &hpa, &direction);
	return false;
}

bool map(iommu_table &table, mm_struct &mm, unsigned long index, unsigned long user)
{
	unsigned long *word = table.view(index, true);
	mm_iommu_table_group_mem_t *region =
		mm_iommu_lookup(&mm, user, 1UL << table.shape.page_shift);
	unsigned long hpa;
	unsigned int direction = KERNEL_DMA_BIDIRECTIONAL;

	if (!word || !region ||
	    mm_iommu_ua_to_hpa(region, user, static_cast<unsigned int>(table.shape.page_shift),
			       &hpa) ||
	    mm_iommu_mapped_inc(region))
		return false;
	if (table.exchange(index, &hpa, &direction)) {
		mm_iommu_mapped_dec(region);
		return false;
	}
	if (direction != KERNEL_DMA_NONE)
		drop_count(table, mm, index);
	store_user(word, user);
	return true;
}

} /* namespace */

bool kvm_put_tce(iommu_table &table, mm_struct &mm, unsigned long index, unsigned long user)
{
	bool done = user ? map(table, mm, index, user) : unmap(table, mm, index);

	iommu_tce_kill(&table, index, 1);
	return done;
}

} /* namespace fake */

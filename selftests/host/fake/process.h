/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes and their memory as the driver sees them: address spaces and registered regions. */
#pragma once

#include <atomic>
#include <limits>
#include <list>
#include <mutex>
#include <vector>

#include "generated/kernel_layout.h"
#include "kernel/mm.h"

namespace fake {

constexpr unsigned long page_size = 1UL << KERNEL_PAGE_SHIFT;

/* What memory is made of. */
enum class Backing {
	SmallPages,
	/* Physically like a hugetlb page, but the kernel may split it. */
	TransparentHugePages,
	HugeTlb,
};

/* Mapped user memory. The driver never reads it, so that there need not be any. */
struct UserMemory {
	unsigned long start;
	unsigned long size;
	unsigned long hpa;
	bool writable = true;
};

} /* namespace fake */

/* A region of memory that was registered with the kernel. */
struct mm_iommu_table_group_mem_t {
	unsigned long used = 1;
	/* One more than there are TCEs; 0 once it is going away. */
	std::atomic<long> mapped = 1;
	unsigned int page_shift = 0;
	unsigned long start = 0;
	std::vector<unsigned long> pages;

	unsigned long size() const { return pages.size() << KERNEL_PAGE_SHIFT; }
	unsigned long end() const { return start + size(); }
};

/* A process. Made and destroyed by the test, while a fake::Kernel exists. */
struct mm_struct {
	mm_struct();
	~mm_struct();

	/* Maps @size bytes at @start, physically contiguous, in pages of 1 << @page_shift. */
	void mmap(unsigned long start, unsigned long size,
		  fake::Backing backing = fake::Backing::SmallPages,
		  unsigned int page_shift = KERNEL_PAGE_SHIFT);
	/* The machine's address of a mapped user address. */
	unsigned long physical(unsigned long address) const;

	/* 0 or -ENOMEM. */
	int charge(unsigned long pages);
	void uncharge(unsigned long pages);

	/* TCEs that point into all regions together. */
	long mapped() const;

	mutable std::recursive_mutex mutex;
	unsigned long locked_vm = 0;
	unsigned long locked_limit = std::numeric_limits<unsigned long>::max();
	std::atomic<long> grabs = 0;
	std::vector<fake::UserMemory> memory;
	std::list<mm_iommu_table_group_mem_t> regions;
};

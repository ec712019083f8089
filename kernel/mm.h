/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces, locked-memory accounting and registered memory (asm/mmu_context.h). */
#ifndef GLUE_MM_H
#define GLUE_MM_H

#include "kernel/types.h"

GLUE_BEGIN

/* The caller's address space; NULL in a kernel thread. No reference is taken. */
struct mm_struct *glue_current_mm(void);
/* The number of the caller's process, as the host counts. */
int glue_current_pid(void);
void glue_mm_grab(struct mm_struct *mm);
void glue_mm_drop(struct mm_struct *mm);

/* Pages of RAM that the kernel manages. */
unsigned long glue_total_ram_pages(void);

/* mm/util.c: adds to or takes from mm->locked_vm; -ENOMEM beyond RLIMIT_MEMLOCK. May sleep. */
int account_locked_vm(struct mm_struct *mm, unsigned long pages, bool inc);

/*
 * arch/powerpc/mm/book3s64/iommu_api.c: regions of pinned memory, listed in the mm and shared by
 * all containers of a process. mm_iommu_get() and mm_iommu_new() give a reference, mm_iommu_put()
 * takes it; -EBUSY for the last one while TCEs point into the region (then it is kept).
 */
long mm_iommu_new(struct mm_struct *mm, unsigned long ua, unsigned long entries,
		  struct mm_iommu_table_group_mem_t **pmem);
struct mm_iommu_table_group_mem_t *mm_iommu_get(struct mm_struct *mm, unsigned long ua,
						unsigned long entries);
long mm_iommu_put(struct mm_struct *mm, struct mm_iommu_table_group_mem_t *mem);
/* The region that contains @size bytes at @ua, without a reference, or NULL. */
struct mm_iommu_table_group_mem_t *mm_iommu_lookup(struct mm_struct *mm, unsigned long ua,
						   unsigned long size);
/* -EFAULT outside the region and for pages larger than what backs all of it. */
long mm_iommu_ua_to_hpa(struct mm_iommu_table_group_mem_t *mem, unsigned long ua,
			unsigned int pageshift, unsigned long *hpa);
/* One per live TCE. -ENXIO when the region is going away. */
long mm_iommu_mapped_inc(struct mm_iommu_table_group_mem_t *mem);
void mm_iommu_mapped_dec(struct mm_iommu_table_group_mem_t *mem);

/*
 * Pins up to @count pages of the current process from @user on, page-aligned, for long; to be
 * written to by a device if @write. Returns how many, with their real addresses in @hpas, whose
 * others are 0 then, or a negative errno. May sleep.
 */
long glue_pin_pages(unsigned long user, unsigned long count, bool write, unsigned long *hpas);

#define GLUE_MOST_UNPINNED 64

/*
 * Gives one pin of each of the @count pages at @hpas back, GLUE_MOST_UNPINNED at most, and says if
 * a device may have written to them. May sleep.
 */
void glue_unpin_pages(const unsigned long *hpas, unsigned long count, bool dirty);
/* The same of any number of pages that follow each other from @hpa on, in fewer steps. */
void glue_unpin_run(unsigned long hpa, unsigned long count, bool dirty);

/* An entry that was taken out of a table: its TCE, and its word in the view. */
struct glue_taken_entry {
	unsigned long tce;
	unsigned long view;
};

/* Marks the pages dirty, which are RAM, that the TCEs of @count entries let devices write to. */
void glue_mark_pages_dirty(const struct glue_taken_entry *entries, unsigned long count);
/* The page of RAM at @hpa is part of a hugetlb page of at least 1 << @shift bytes. */
bool glue_is_hugetlb_page(unsigned long hpa, unsigned int shift);

GLUE_END

#endif

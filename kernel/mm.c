// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces, locked-memory accounting and registered memory. */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include <asm/mmu_context.h>
#include <asm/tce.h>

#include "kernel/mm.h"

struct mm_struct *glue_current_mm(void)
{
	return current->mm;
}

int glue_current_pid(void)
{
	return task_tgid_nr(current);
}

void glue_mm_grab(struct mm_struct *mm)
{
	mmgrab(mm);
}

void glue_mm_drop(struct mm_struct *mm)
{
	mmdrop(mm);
}

unsigned long glue_total_ram_pages(void)
{
	return totalram_pages();
}

long glue_pin_pages(unsigned long user, unsigned long count, bool write, unsigned long *hpas)
{
	struct page **pages = (struct page **)hpas; /* the same array: one turns into the other */
	long pinned =
		pin_user_pages_fast(user, count, FOLL_LONGTERM | (write ? FOLL_WRITE : 0), pages);

	for (long i = 0; i < pinned; i++)
		hpas[i] = page_to_pfn(pages[i]) << PAGE_SHIFT;
	/* What was pinned for a moment only is there, too. */
	for (unsigned long i = pinned > 0 ? pinned : 0; i < count; i++)
		hpas[i] = 0;
	return pinned;
}

void glue_unpin_pages(const unsigned long *hpas, unsigned long count, bool dirty)
{
	struct page *pages[GLUE_MOST_UNPINNED];

	for (unsigned long i = 0; i < count; i++)
		pages[i] = pfn_to_page(hpas[i] >> PAGE_SHIFT);
	unpin_user_pages_dirty_lock(pages, count, dirty);
}

void glue_unpin_run(unsigned long hpa, unsigned long count, bool dirty)
{
	unpin_user_page_range_dirty_lock(pfn_to_page(hpa >> PAGE_SHIFT), count, dirty);
}

static struct page *page_of(const struct glue_taken_entry *entry)
{
	return pfn_to_page(entry->tce >> PAGE_SHIFT);
}

/* In a loop of its own: setting a bit has the compiler forget where the pages are. */
static const struct glue_taken_entry *find_clean(const struct glue_taken_entry *entry,
						 const struct glue_taken_entry *end)
{
	while (entry != end && (!(entry->tce & TCE_PCI_WRITE) || PageDirty(page_of(entry))))
		entry++;
	return entry;
}

void glue_mark_pages_dirty(const struct glue_taken_entry *entries, unsigned long count)
{
	const struct glue_taken_entry *end = entries + count;

	/* Whoever cleans one later on sees what the device has written by now. */
	while ((entries = find_clean(entries, end)) != end)
		SetPageDirty(page_of(entries++));
}

bool glue_is_hugetlb_page(unsigned long hpa, unsigned int shift)
{
	struct folio *folio = page_folio(pfn_to_page(hpa >> PAGE_SHIFT));

	return folio_test_hugetlb(folio) && folio_shift(folio) >= shift;
}

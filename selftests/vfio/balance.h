/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test may not leave behind: locked and pinned memory, kernel objects, kernel messages.
 *
 * Take the balance before the first file is opened and check it after the last one was closed and
 * the test's own memory was unmapped. Kernel objects are freed after an RCU grace period and
 * the ones given to kfree_rcu() up to 5 s later, so the check waits for them, within a bound.
 */
#ifndef SELFTESTS_VFIO_BALANCE_H
#define SELFTESTS_VFIO_BALANCE_H

/*
 * Objects of one kmalloc cache that may come and go on an otherwise idle machine, on top of what
 * is on the free lists of the CPUs. A leak of one object per test hides below it; the tests that
 * repeat a cycle 300 times show it.
 */
#define BALANCE_SLAB_SLACK	32
/*
 * The same for pages that are neither free nor page cache; 256 unless a program says otherwise.
 * Threads that map and unmap leave more behind than one: stacks, page tables and the like that the
 * kernel keeps for the next time.
 */
extern long balance_pages_slack;
/* What the kernel may say because of what a test does, up to a NULL; nothing unless a program says so. */
extern const char *const *balance_expected;

#define BALANCE_MAX_CACHES	64

/* The objects in use in every kmalloc cache, in the order of /proc/slabinfo. */
struct slab_count {
	int caches;
	struct {
		char name[32];
		long active;
		long per_slab;
	} cache[BALANCE_MAX_CACHES];
};

struct balance {
	long locked_kib;	/* VmLck of this process */
	long pinned;		/* pages pinned by anyone */
	struct slab_count slab;
	long free_pages;
	int kmsg;		/* the kernel log, from the start of the test on */
};

/* VmLck of this process in KiB. */
long balance_locked_kib(void);
/* Pages that are pinned right now. Needs root. */
long balance_pinned_pages(void);
/* The same as soon as it is what is expected, within a bound: regions are unpinned after RCU. */
long balance_pinned_settled(long expected);

/* Memory of the machine that is free or could be at any time, in KiB. Needs root. */
long balance_unused_kib(void);

/* Has the kernel do or be something, by a file of /proc or /sys; nothing where there is none. */
void balance_write(const char *path, const char *text);
/* Waits until nothing is about to be freed, for tests that count objects closely. */
void balance_settle(void);
void balance_take(struct balance *b);
/* Returns a description of what is out of balance, or NULL. */
const char *balance_check(struct balance *b);

#endif

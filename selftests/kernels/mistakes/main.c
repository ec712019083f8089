// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes one of each of the mistakes that the kernel it was built for can find, when it is loaded,
 * and says before each what the kernel has to say of it. A detector that is off, or has stopped,
 * shows in that it does not.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "cxx.h"

#define ANNOUNCE(mistake, complaint) pr_info("mistake: " mistake ": " complaint "\n")

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void take_both(struct mutex *one, struct mutex *other)
{
	mutex_lock(one);
	mutex_lock(other);
	mutex_unlock(other);
	mutex_unlock(one);
}

static void lock_in_both_orders(void)
{
	ANNOUNCE("lock_order", "possible circular locking dependency");
	take_both(&first, &second);
	take_both(&second, &first);
}

static DEFINE_SPINLOCK(spinlock);

static void sleep_under_a_spinlock(void)
{
	ANNOUNCE("atomic_sleep", "BUG: sleeping function called from invalid context");
	spin_lock(&spinlock);
	might_sleep();
	spin_unlock(&spinlock);
}

static int __rcu *nothing;

static void dereference_without_rcu(void)
{
	ANNOUNCE("rcu", "suspicious rcu_dereference_check() usage");
	rcu_dereference(nothing);
}

static LIST_HEAD(list);
static struct list_head entry;

static void add_to_a_list_twice(void)
{
	ANNOUNCE("list", "list_add double add");
	list_add(&entry, &list);
	list_add(&entry, &list);
}

static volatile int distance = 40;

static void shift_too_far(void)
{
	ANNOUNCE("undefined_behaviour", "UBSAN: shift-out-of-bounds");
	pr_info("%d\n", 1 << distance);
}

static void index_too_large(void)
{
	ANNOUNCE("cxx_undefined_behaviour", "UBSAN: array-index-out-of-bounds");
	pr_info("%d\n", cxx_read_global(5));
}

/* Several, because a stale copy of an address somewhere hides a loss. */
static void lose_memory(void)
{
	ANNOUNCE("leak", "new suspected memory leaks");
	for (int i = 0; i < 8; i++) {
		void *lost = kmalloc(777, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(lost);
	}
}

/* The kernel says in which function it is. */
static noinline void use_freed_memory(void)
{
	char *freed = kmalloc(777, GFP_KERNEL);

	kfree(freed);
	OPTIMIZER_HIDE_VAR(freed);
	ANNOUNCE("use_after_free", "BUG: KASAN: slab-use-after-free in use_freed_memory");
	pr_info("%d\n", READ_ONCE(*freed));
	ANNOUNCE("cxx_use_after_free", "BUG: KASAN: slab-use-after-free in cxx_read");
	pr_info("%d\n", cxx_read(freed, 1));
}

static void read_past_the_end(void)
{
	char *heap = kmalloc(777, GFP_KERNEL), *pages = vmalloc(777);

	ANNOUNCE("cxx_out_of_bounds", "BUG: KASAN: slab-out-of-bounds in cxx_read");
	pr_info("%d\n", cxx_read(heap, 777));
	ANNOUNCE("vmalloc_out_of_bounds", "BUG: KASAN: vmalloc-out-of-bounds in cxx_read");
	pr_info("%d\n", cxx_read(pages, 777));
	ANNOUNCE("cxx_global_out_of_bounds", "BUG: KASAN: global-out-of-bounds in cxx_read_global");
	pr_info("%d\n", cxx_read_global(5));
	vfree(pages);
	kfree(heap);
}

static noinline void count(unsigned long *counter)
{
	++*counter;
}

static int count_for_ever(void *counters)
{
	unsigned long *counter = counters;

	while (!kthread_should_stop()) {
		for (int i = 0; i < 1000; i++) {
			count(&counter[0]);
			cxx_count(&counter[1]);
		}
		cond_resched();
	}
	return 0;
}

/* For so long because the kernel looks at one access of some thousands. */
static void count_on_two_cpus(void)
{
	static unsigned long counters[2];
	struct task_struct *one, *other;

	ANNOUNCE("data_race", "BUG: KCSAN: data-race in count [mistakes]");
	ANNOUNCE("cxx_data_race", "BUG: KCSAN: data-race in cxx_count [mistakes]");
	one = kthread_run(count_for_ever, counters, "mistake");
	other = kthread_run(count_for_ever, counters, "mistake");
	msleep(10000);
	if (!IS_ERR(one))
		kthread_stop(one);
	if (!IS_ERR(other))
		kthread_stop(other);
}

static int __init mistakes_init(void)
{
	if (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		lose_memory();
	if (IS_ENABLED(CONFIG_UBSAN_SHIFT))
		shift_too_far();
	/* Before the same for KASAN, because UBSAN tells of each place once. */
	if (IS_ENABLED(CONFIG_UBSAN_BOUNDS))
		index_too_large();
	if (IS_ENABLED(CONFIG_KASAN)) {
		use_freed_memory();
		read_past_the_end();
	}
	if (IS_ENABLED(CONFIG_KCSAN))
		count_on_two_cpus();
	if (IS_ENABLED(CONFIG_DEBUG_LIST))
		add_to_a_list_twice();
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		sleep_under_a_spinlock();
	if (IS_ENABLED(CONFIG_PROVE_RCU))
		dereference_without_rcu();
	/* The last one, because lockdep stops with its first complaint. */
	if (IS_ENABLED(CONFIG_PROVE_LOCKING))
		lock_in_both_orders();
	return 0;
}

module_init(mistakes_init);
MODULE_DESCRIPTION("Mistakes for the kernel to find");
MODULE_LICENSE("GPL");

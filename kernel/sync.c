// SPDX-License-Identifier: GPL-2.0-only
/* Locks and the scheduler. */
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "kernel/sync.h"

void glue_mutex_init(struct mutex *mutex, enum glue_mutex_kind kind)
{
	static struct lock_class_key keys[GLUE_MUTEX_KINDS];

	__mutex_init(mutex, "vfio_iommu_spapr_tce", &keys[kind]);
}

void glue_mutex_lock(struct mutex *mutex)
{
	mutex_lock(mutex);
}

void glue_mutex_unlock(struct mutex *mutex)
{
	mutex_unlock(mutex);
}

/* spinlock_t is a struct of that name. */
void glue_spin_lock_init(struct spinlock *lock)
{
	spin_lock_init(lock);
}

void glue_spin_lock(struct spinlock *lock) __acquires(lock)
{
	spin_lock(lock);
}

void glue_spin_unlock(struct spinlock *lock) __releases(lock)
{
	spin_unlock(lock);
}

void glue_rcu_read_lock(void) __acquires(RCU)
{
	rcu_read_lock();
}

void glue_rcu_read_unlock(void) __releases(RCU)
{
	rcu_read_unlock();
}

void glue_cond_resched(void)
{
	cond_resched();
}

void glue_sleep_a_tick(void)
{
	schedule_timeout_uninterruptible(1);
}

const void *glue_current_task(void)
{
	return current;
}

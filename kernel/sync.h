/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks and the scheduler. */
#ifndef GLUE_SYNC_H
#define GLUE_SYNC_H

#include "kernel/types.h"

GLUE_BEGIN

/* Lockdep takes the mutexes of one kind for one class. */
enum glue_mutex_kind {
	GLUE_MUTEX_CONTAINER,
	GLUE_MUTEX_ORPHANS,
	GLUE_MUTEX_HANDLES,
	GLUE_MUTEX_KINDS, /* how many there are */
};

void glue_mutex_init(struct mutex *mutex, enum glue_mutex_kind kind);
void glue_mutex_lock(struct mutex *mutex);
void glue_mutex_unlock(struct mutex *mutex);

/* One class for lockdep: none is taken under another one. */
void glue_spin_lock_init(struct spinlock *lock);
void glue_spin_lock(struct spinlock *lock);
void glue_spin_unlock(struct spinlock *lock);

void glue_rcu_read_lock(void);
void glue_rcu_read_unlock(void);

/* Gives way to others where the kernel wants to; for long loops in process context. */
void glue_cond_resched(void);
/* Lets others run until the next tick. Sleeps. */
void glue_sleep_a_tick(void);

/* The running task; to be compared only. */
const void *glue_current_task(void);

GLUE_END

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* Mutexes, reference counts, RCU readers. */
#include "kernel/sync.h"

#include <numeric>

#include <sched.h>

#include <pthread.h>

#include "fake/kernel.h"

struct spinlock {
	pthread_mutex_t lock;
};

static_assert(sizeof(spinlock) <= KERNEL_SPINLOCK_SIZE);
static_assert(alignof(spinlock) <= KERNEL_SPINLOCK_ALIGN);

/* In the driver's own storage, of KERNEL_MUTEX_SIZE. It is never destroyed, as in the kernel. */
struct mutex {
	pthread_mutex_t lock;
	glue_mutex_kind kind;
};

static_assert(sizeof(mutex) <= KERNEL_MUTEX_SIZE);
static_assert(alignof(mutex) <= KERNEL_MUTEX_ALIGN);

namespace fake {

namespace {

thread_local unsigned int held[GLUE_MUTEX_KINDS];
thread_local unsigned int held_spinlocks;
thread_local char this_thread;
thread_local const void *current_task = &this_thread;
thread_local unsigned int read_locks;

} /* namespace */

unsigned int held_mutexes()
{
	return std::accumulate(std::begin(held), std::end(held), 0u);
}

unsigned int held_mutexes(glue_mutex_kind kind)
{
	return held[kind];
}

void Kernel::might_sleep(const char *where)
{
	if (read_locks)
		complain(std::string(where) + " under rcu_read_lock");
	if (held_spinlocks)
		complain(std::string(where) + " under a spinlock");
}

void Kernel::set_task(const void *task)
{
	current_task = task ? task : &this_thread;
}

} /* namespace fake */

using fake::kernel;

namespace {

void init_lock(pthread_mutex_t &lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

} /* namespace */

void glue_spin_lock_init(struct spinlock *lock)
{
	init_lock(lock->lock);
}

void glue_spin_lock(struct spinlock *lock)
{
	if (fake::held_spinlocks)
		kernel().complain("a spinlock is locked while another one is held");
	if (pthread_mutex_lock(&lock->lock))
		kernel().complain("a spinlock is locked twice, or was not initialized");
	++fake::held_spinlocks;
}

void glue_spin_unlock(struct spinlock *lock)
{
	if (pthread_mutex_unlock(&lock->lock))
		kernel().complain("a spinlock is unlocked that this thread does not hold");
	--fake::held_spinlocks;
}

void glue_sleep_a_tick()
{
	kernel().might_sleep("sleeping");
	kernel().run(fake::Hook::Sleeping);
	sched_yield();
}

const void *glue_current_task()
{
	return fake::current_task;
}

void glue_mutex_init(struct mutex *mutex, enum glue_mutex_kind kind)
{
	init_lock(mutex->lock);
	mutex->kind = kind;
}

void glue_mutex_lock(struct mutex *mutex)
{
	kernel().might_sleep("a mutex");
	kernel().run(fake::Hook::BeforeLock);
	/* No lock of the driver is taken under another one. */
	if (fake::held_mutexes())
		kernel().complain("a mutex is locked while another one is held");
	if (pthread_mutex_lock(&mutex->lock))
		kernel().complain("a mutex is locked twice, or was not initialized");
	++fake::held[mutex->kind];
}

void glue_mutex_unlock(struct mutex *mutex)
{
	--fake::held[mutex->kind];
	if (pthread_mutex_unlock(&mutex->lock))
		kernel().complain("a mutex is unlocked that this thread does not hold");
}

void glue_rcu_read_lock()
{
	++fake::read_locks;
	kernel().reader_entered();
}

void glue_rcu_read_unlock()
{
	--fake::read_locks;
	kernel().reader_left();
}

void glue_cond_resched()
{
	kernel().might_sleep("giving way");
	if (kernel().has_threads)
		sched_yield();
}

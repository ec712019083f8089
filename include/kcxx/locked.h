/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mutex, Spinlock: the kernel's. Locked<T>: data that is reachable only while its mutex is held.
 */
#pragma once

#include "generated/kernel_layout.h"
#include "kcxx/thread_annotations.h"
#include "kcxx/utility.h"
#include "kernel/sync.h"

namespace kcxx {

class CAPABILITY("mutex") Mutex {
public:
	/* Constant-initialized, so that it can be static; init() makes it usable. */
	constexpr Mutex() = default;
	Mutex(const Mutex &) = delete;
	Mutex &operator=(const Mutex &) = delete;

	/* Before the first lock(), once. @kind tells lockdep which locks are of one class. */
	void init(enum glue_mutex_kind kind) { glue_mutex_init(kernel(), kind); }
	void lock() ACQUIRE() { glue_mutex_lock(kernel()); }
	void unlock() RELEASE() { glue_mutex_unlock(kernel()); }

private:
	struct mutex *kernel() { return reinterpret_cast<struct mutex *>(m_storage); }

	alignas(KERNEL_MUTEX_ALIGN) unsigned char m_storage[KERNEL_MUTEX_SIZE] = {};
};

/* The kernel's spinlock, for what is never locked in an interrupt. */
class CAPABILITY("spinlock") Spinlock {
public:
	Spinlock() = default;
	Spinlock(const Spinlock &) = delete;
	Spinlock &operator=(const Spinlock &) = delete;

	/* Before the first lock(), once. */
	void init() { glue_spin_lock_init(kernel()); }
	void lock() ACQUIRE() { glue_spin_lock(kernel()); }
	void unlock() RELEASE() { glue_spin_unlock(kernel()); }

private:
	struct spinlock *kernel() { return reinterpret_cast<struct spinlock *>(m_storage); }

	alignas(KERNEL_SPINLOCK_ALIGN) unsigned char m_storage[KERNEL_SPINLOCK_SIZE] = {};
};

template <typename T> class Locked {
public:
	/* The data is made of @args. */
	template <typename... Args>
	constexpr explicit Locked(Args &&...args) : m_data(forward<Args>(args)...)
	{
	}

	void init(enum glue_mutex_kind kind) { m_mutex.init(kind); }

	/* Runs @body with the data, under the lock; what @body returns is returned. */
	template <typename Body> auto with(Body body)
	{
		Guard guard(m_mutex);

		return body(m_data);
	}

private:
	class SCOPED_CAPABILITY Guard {
	public:
		explicit Guard(Mutex &mutex) ACQUIRE(mutex) : m_mutex(mutex) { m_mutex.lock(); }
		Guard(const Guard &) = delete;
		Guard &operator=(const Guard &) = delete;
		~Guard() RELEASE() { m_mutex.unlock(); }

	private:
		Mutex &m_mutex;
	};

	Mutex m_mutex;
	T m_data GUARDED_BY(m_mutex);
};

} /* namespace kcxx */

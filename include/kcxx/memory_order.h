/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Orders of memory that ThreadSanitizer, of the tests on the host, does not know: that of a
 * dependency and that of a fence. For it, and only for it, the loads themselves acquire.
 */
#pragma once

namespace kcxx {

/*
 * Of a load of a pointer: what is read through it depends on it, which orders the two without a
 * barrier. Pairs with a release of the pointer.
 */
#ifdef KCXX_THREAD_SANITIZER
inline constexpr int dependency_order = __ATOMIC_ACQUIRE;
#else
inline constexpr int dependency_order = __ATOMIC_RELAXED;
#endif

/* Whatever comes after is in order with what was released to @word, which the caller has read. */
inline void acquire_fence([[maybe_unused]] const unsigned long &word)
{
#ifdef KCXX_THREAD_SANITIZER
	__atomic_load_n(&word, __ATOMIC_ACQUIRE);
#else
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

/*
 * Of two that each write something, pass this, and read what the other writes, at least one sees
 * that. The other can be a device.
 */
inline void full_barrier()
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

} /* namespace kcxx */

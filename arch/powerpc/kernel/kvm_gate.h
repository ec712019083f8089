/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KvmGate: how KVM's H_PUT_TCE handlers come to the entries of a table of our own, and the lock
 * under which entries change.
 *
 * KVM maps an entry in steps, from any CPU, without a lock: it asks for the view's word, counts the
 * page in its region, exchanges the TCE, counts the old page down by the view's word, writes the
 * user's address into that word, and in the end asks for an invalidation. In between anybody may
 * have changed the entry. So none of these steps is left to KVM but those that can do no harm:
 *
 *  - KVM only counts up. What it gets for the view's word is a word of a *visitor*, which stands
 *    for the calling task until that hypercall's invalidation, and the exchange tells KVM that the
 *    entry was empty, so that it has nothing to count down.
 *  - The exchange puts the TCE, and the visitor's mark in place of the user's address, under the
 *    lock; it takes out what was there, TCE and address together. So the TCE of an entry and the
 *    word that says where it is counted never part.
 *  - The address that KVM then writes is read by the task's own next call only: the visitor is
 *    *settled*. If the entry has still got its mark, the address is put there. If somebody has
 *    taken the entry out in the meantime, the visitor *owes* a count, which is dropped now.
 *  - What was taken out is kept (Displaced) until the PEs were told to forget it, and is counted
 *    down then, once. KVM asks for that at the end of each hypercall; where it does not (it clears
 *    entries after an error), whoever comes next does it.
 *
 * The gate is open for the process whose memory the table maps, from the window's creation to its
 * end. To all others, and then, the table is *closed*: its entries can be seen, and a hypercall
 * that wants to change one is left to user space (H_TOO_HARD). A table whose entries are not
 * counted in regions of registered memory (v1), or whose pages are larger than the kernel's, is
 * never opened. The latter because KVM goes by the size of pages that a region begins with, and
 * WARNs when a hypercall meets a second region with smaller ones.
 *
 * Locking: a spinlock in each gate. The container's calls take it for a run of entries, below the
 * container's own lock. Nothing sleeps under it; the firmware may be called.
 *
 * Source: arch/powerpc/kvm/book3s_64_vio.c; Documentation/design.rst, "KVM".
 */
#pragma once

#include "arch/powerpc/kernel/own_table_backend.h"
#include "arch/powerpc/kernel/taken_entry.h"
#include "glue/iommu.h"
#include "kcxx/locked.h"
#include "kcxx/owned.h"

namespace tce {

class KvmGate {
public:
	KvmGate(OwnTable &table, const OwnTableBackend &backend);
	KvmGate(const KvmGate &) = delete;
	KvmGate &operator=(const KvmGate &) = delete;
	/* When nobody uses the table any more. Any context. */
	~KvmGate();

	/* Holds the lock while it lives: entries are changed under one. */
	class SCOPED_CAPABILITY Guard {
	public:
		explicit Guard(KvmGate &gate) ACQUIRE(gate.m_lock) : m_lock(gate.m_lock)
		{
			m_lock.lock();
		}
		Guard(const Guard &) = delete;
		Guard &operator=(const Guard &) = delete;
		~Guard() RELEASE() { m_lock.unlock(); }

		/*
		 * Says that the caller has taken @old out of an entry, and @backing out of its
		 * view. Returns what the caller has to count down, after the invalidation:
		 * @backing, or nothing where a visitor owes the count.
		 */
		unsigned long taken_out(OldEntry old, unsigned long backing)
		{
			if (!is_mark(backing)) [[likely]]
				return backing;
			owed_by_visitor(backing, old);
			return 0;
		}

	private:
		kcxx::Spinlock &m_lock;
	};

	/* --- for the container; process context -------------------------------------------- */

	/*
	 * Lets KVM change entries for the process @owner, which outlives the gate's closing.
	 * @container: whose table it is, for events.
	 */
	void open(mm_struct *owner, unsigned int container);
	/* From here on KVM changes nothing any more. */
	void close();
	/*
	 * Counts down what KVM has taken out and has not asked to be invalidated. Does nothing, and
	 * cheaply, if there is nothing.
	 */
	void flush()
	{
		/* Whoever puts something off after this has come later. */
		if (has_displaced()) [[unlikely]]
			flush_all();
	}
	/*
	 * After close(), when the table was emptied: waits for the hypercalls that are still in the
	 * table, a few instructions of theirs, and counts down what they have left. May sleep.
	 */
	void drain();

	/* --- for KVM; any context, no lock held; see struct iommu_table_ops ------------------ */

	/*
	 * The word that KVM may write the user's address of @index to; nullptr: the call is left to
	 * user space. Where KVM only wants to read, nullptr says that there is nothing to count
	 * down.
	 */
	AtomicBigEndian *view_word(TceIndex index, bool allocate);
	/* Cannot fail. False: the entry was not the caller's to change. */
	bool exchange(TceIndex index, unsigned long *hpa, unsigned int *direction);
	void kill(EntryRange range);

	/* Set before KVM can come. */
	unsigned int container() const { return m_container; }

private:
	/* A task of KVM in the table, from its first call to the invalidation that ends it. */
	struct Visitor {
		enum class State {
			Idle,	 /* It has got nothing. */
			Armed,	 /* It has asked for the word, and may have counted one up. */
			InEntry, /* An entry has its TCE and mark; the address is to come. */
			Owes,	 /* The entry is gone, or never was; the address is to come. */
		};

		/* First: what KVM writes. */
		AtomicBigEndian address;
		const void *task;
		Visitor *next;
		State state;
		AtomicBigEndian *view; /* InEntry: the entry's word */
		TceIndex index;
		OldEntry taken; /* Owes: what it had in the table */

		void arm(const void *of_task);
	};

	/* What was taken out of an entry, and PEs may have cached. */
	struct Displaced {
		TceIndex index;
		TakenEntry entry;
	};

	/* How much is put off; a guest's page of 64K has 16 entries of 4K. */
	static constexpr unsigned long most_displaced = 32;
	/*
	 * A visitor's mark in a view: its address, with the top two bits set. No user's address has
	 * them, and a pinned page (Backing) has but one of them.
	 */
	static constexpr unsigned long mark_bits = 3UL << 62;

	static bool is_mark(unsigned long word) { return (word & mark_bits) == mark_bits; }
	static unsigned long mark_of(Visitor &visitor);
	[[gnu::noinline]] static void owed_by_visitor(unsigned long mark, OldEntry taken);

	bool serves_caller() const REQUIRES(m_lock);
	/* nullptr as @task: one that is nobody's. */
	Visitor *visitor_of(const void *task) const REQUIRES(m_lock);
	Visitor *armed_visitor() const REQUIRES(m_lock);
	Visitor *find_visitor() const REQUIRES(m_lock);
	void add_visitor(Visitor &visitor) REQUIRES(m_lock);
	Visitor *arm();
	void show(TceIndex index, unsigned long *hpa, unsigned int *direction) const;
	bool replace(TceIndex index, unsigned long tce, Visitor *visitor) REQUIRES(m_lock);
	void settle(Visitor &visitor) REQUIRES(m_lock);
	void put_off(const Displaced &displaced) REQUIRES(m_lock);
	void flush_with(EntryRange range) REQUIRES(m_lock);
	void count_down(const Displaced &displaced) const REQUIRES(m_lock);
	bool is_visited() const REQUIRES(m_lock);
	bool has_displaced() const { return __atomic_load_n(&m_displaced_count, __ATOMIC_RELAXED); }
	void set_displaced_count(unsigned long count) REQUIRES(m_lock)
	{
		__atomic_store_n(&m_displaced_count, count, __ATOMIC_RELAXED);
	}
	[[gnu::noinline]] void flush_all();

	OwnTable &m_table;
	const OwnTableBackend &m_backend;
	kcxx::Spinlock m_lock;
	mm_struct *m_owner GUARDED_BY(m_lock) = nullptr;
	bool m_is_open GUARDED_BY(m_lock) = false;
	unsigned int m_container = 0;
	/* Only ever added to. */
	Visitor *m_visitors GUARDED_BY(m_lock) = nullptr;
	/* Changes under the lock; is read without it by flush() alone. */
	unsigned long m_displaced_count = 0;
	Displaced m_displaced[most_displaced] GUARDED_BY(m_lock);
};

} /* namespace tce */

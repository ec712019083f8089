/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KvmGate: how KVM's H_PUT_TCE handlers reach the entries of a table of our own, and the lock under
 * which entries change.
 *
 * KVM maps an entry in steps, from any CPU, without a lock: it asks for the view's word, counts the
 * page in its region, exchanges the TCE, counts the old page down by the view's word, writes the
 * user's address into that word, and in the end asks for an invalidation. In between anybody may
 * have changed the entry. So none of these steps is left to KVM but those that can do no harm:
 *
 *  - KVM only counts up. What it gets for the view's word is a word of the *hypercall* (an object
 * of ours, which is the task's until the invalidation that ends its hypercall), and the exchange
 *    tells KVM that the entry was empty, so that it has nothing to count down.
 *  - The exchange puts the TCE, and the hypercall's mark in place of the user's address, under the
 *    lock; it takes out what was there, TCE and address together. So the TCE of an entry and the
 *    word that says where it is counted never part.
 *  - The address that KVM then writes is read by the task's own next call only: the hypercall is
 *    *completed*. If the entry has still got its mark, the address is put there. If somebody has
 *    taken the entry out in the meantime, the hypercall *owes* a count, which is dropped now.
 *  - What was taken out is kept (Displaced) until the PEs were told to forget it, and is counted
 *    down then, once. KVM asks for that at the end of each hypercall; where it does not (it clears
 *    entries after an error), the next caller does it.
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

#include "arch/powerpc/glue/iommu.h"
#include "arch/powerpc/own_tables/own_table_backend.h"
#include "arch/powerpc/tce/taken_entry.h"
#include "kcxx/locked.h"
#include "kcxx/owned.h"
#include "kcxx/relaxed.h"

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
		 * @backing, or nothing where a hypercall owes the count.
		 */
		unsigned long taken_out(OldEntry old, unsigned long backing)
		{
			if (!is_mark(backing)) [[likely]]
				return backing;
			owed_by_hypercall(backing, old);
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
		/* What is put off after this check is for the next caller. */
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
	/* A task's hypercall in the table, from its first call to the invalidation that ends it. */
	struct Hypercall {
		enum class State {
			Idle,	 /* KVM is done with it. */
			Armed,	 /* KVM has asked for the word, and may have counted a page up. */
			InEntry, /* An entry has its TCE and mark; KVM has to write the address. */
			Owes,	 /* No entry has them any more; KVM has to write the address. */
		};

		/* First: what KVM writes. */
		AtomicBigEndian address;
		const void *task;
		Hypercall *next;
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
	 * A hypercall's mark in a view: its address, with the top two bits set. No user's address
	 * has them, and a pinned page (Backing) has but one of them.
	 */
	static constexpr unsigned long mark_bits = kcxx::power_of_two(63) | kcxx::power_of_two(62);

	static bool is_mark(unsigned long word) { return (word & mark_bits) == mark_bits; }
	static unsigned long mark_of(Hypercall &hypercall);
	[[gnu::noinline]] static void owed_by_hypercall(unsigned long mark, OldEntry taken);

	bool serves_caller() const REQUIRES(m_lock);
	/* nullptr as @task: one that is nobody's. */
	Hypercall *hypercall_of(const void *task) const REQUIRES(m_lock);
	Hypercall *armed_hypercall() const REQUIRES(m_lock);
	Hypercall *find_hypercall() const REQUIRES(m_lock);
	void add_hypercall(Hypercall &hypercall) REQUIRES(m_lock);
	Hypercall *arm();
	void show(TceIndex index, unsigned long *hpa, unsigned int *direction) const;
	bool replace(TceIndex index, unsigned long tce, Hypercall *hypercall) REQUIRES(m_lock);
	void complete(Hypercall &hypercall) REQUIRES(m_lock);
	void put_off(const Displaced &displaced) REQUIRES(m_lock);
	void flush_with(EntryRange range) REQUIRES(m_lock);
	void count_down(const Displaced &displaced) const REQUIRES(m_lock);
	bool has_hypercalls() const REQUIRES(m_lock);
	bool has_displaced() const { return m_displaced_count.load(); }
	[[gnu::noinline]] void flush_all();

	OwnTable &m_table;
	const OwnTableBackend &m_backend;
	kcxx::Spinlock m_lock;
	mm_struct *m_owner GUARDED_BY(m_lock) = nullptr;
	bool m_is_open GUARDED_BY(m_lock) = false;
	unsigned int m_container = 0;
	/* Only ever added to. */
	Hypercall *m_hypercalls GUARDED_BY(m_lock) = nullptr;
	/* Changes under the lock; is read without it by flush() alone. */
	kcxx::Relaxed<unsigned long> m_displaced_count{ 0 };
	Displaced m_displaced[most_displaced] GUARDED_BY(m_lock);
};

} /* namespace tce */

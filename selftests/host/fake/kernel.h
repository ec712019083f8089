/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fake kernel: implements the functions of the glue that the driver calls, makes them
 * fail on request, and complains about everything that the real one would not survive.
 */
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "fake/failures.h"
#include "fake/platform.h"
#include "fake/process.h"
#include "kernel/sync.h"

namespace fake {

constexpr unsigned long second_window_start = 1UL << 59;

/* Where another CPU can come in between. */
enum class Hook {
	BeforeLock,
	BeforeCopyFromUser,
	BeforeCopyToUser,
	BeforePinRegion,
	AfterUnmapping,
	AfterRefusedPut,
	AllocatingLevel,
	InEeh,
	WindowMapped,
	Sleeping,
};

class Kernel {
public:
	using Complain = std::function<void(const std::string &)>;

	explicit Kernel(Complain complain);
	~Kernel();
	Kernel(const Kernel &) = delete;

	/* The process that the calling thread belongs to; nullptr: a kernel thread. */
	static void set_current(mm_struct *mm);
	static mm_struct *current();
	/* Which task the calling thread plays; nullptr: one of its own. */
	static void set_task(const void *task);

	/* A PE in an IOMMU group of its own: PowerNV's, with a small default window. */
	iommu_group &add_group();

	/* A device joins the PE of @group, which is in VFIO. */
	void add_device(iommu_group &group);

	/* User memory that cannot be read, or only not written. */
	void protect(const void *address, bool readable);

	/* Runs @action once, when the driver comes to @hook: what another CPU does at that moment.
	 */
	void at_next(Hook hook, std::function<void()> action)
	{
		m_actions[hook] = std::move(action);
	}

	/*
	 * Counts are going to get lost: the hypervisor refuses to empty entries, or KVM changes
	 * those that the driver changes too, and both write an entry and its view one after the
	 * other.
	 */
	void expect_lost_counts() { m_expects_lost_counts = true; }
	/* After all tables were freed. */
	void give_back_lost_counts();

	/* Everything that was taken has been given back. At the end, once. */
	void check_balance();

	void complain(const std::string &what) { m_complain(what); }
	/* The kernel may sleep here: the caller must not be an RCU reader. */
	void might_sleep(const char *where);

	Failures failures;
	Hypervisor hypervisor;
	unsigned long ram_pages = 1UL << 24;
	/* Other threads get to run where the driver gives way; false: there are none. */
	bool has_threads = true;
	/* The machine lets the driver find the firmware; how often it said that it did not. */
	bool finds_opal = true;
	unsigned int opal_messages = 0;
	/* The machine has EEH. */
	bool has_eeh = true;
	std::list<std::unique_ptr<iommu_table>> tables;
	std::list<iommu_table_group> groups;
	std::list<iommu_group> iommu_groups;
	std::vector<mm_struct *> processes;

	/* For the implementation of the glue functions. */
	void *allocate(unsigned long size, bool array);
	void *allocate_nowait(unsigned long size);
	void free(void *memory, bool array);
	void free_after_readers(void *memory);
	void reader_entered();
	void reader_left();
	bool may_access(unsigned long address, unsigned long size, bool write);
	void run(Hook hook);
	void change_objects(long by);
	bool has_objects();
	unsigned long add_ram(unsigned long size, Backing backing, unsigned int page_shift);
	void pin(unsigned long hpa);
	void unpin(unsigned long hpa);
	bool is_pinned(unsigned long hpa);
	/* How many pins a page has; all pages together; calls that pin pages, and that unpin. */
	long pins(unsigned long hpa);
	long all_pins();
	unsigned long pin_calls = 0;
	unsigned long unpin_calls = 0;
	/* Complains about what a device can reach and what is not pinned any more. */
	bool checks_reach = true;
	void check_reachable_is_pinned();
	bool is_hugetlb(unsigned long hpa, unsigned int shift);
	void mark_dirty(unsigned long hpa);
	bool is_dirty(unsigned long hpa);
	bool was_made_anew(const iommu_table &table) const;
	void put_table(iommu_table *table);
	iommu_table_group &group_of(const glue_pe &pe);
	void remember_level(void *block);
	void forget_level(void *block);

private:
	void flush_deferred();
	struct Ram {
		unsigned long hpa;
		unsigned long size;
		Backing backing;
		unsigned int page_shift;
	};

	void *add_allocation(unsigned long size, bool array);
	void check_process(mm_struct &mm);

	Complain m_complain;
	std::map<Hook, std::function<void()>> m_actions;
	std::mutex m_mutex;
	std::unordered_map<void *, bool> m_allocations; /* true: an array */
	std::vector<void *> m_deferred;
	unsigned long m_readers = 0;
	long m_objects = 0;
	std::vector<std::pair<unsigned long, bool>> m_protected;
	std::vector<Ram> m_ram;
	unsigned long m_next_ram = 1UL << 32;
	std::unordered_map<unsigned long, long> m_pins;
	std::unordered_map<unsigned long, bool> m_dirty;
	std::set<void *> m_levels;
	bool m_expects_lost_counts = false;
};

Kernel &kernel();

/* Mutexes that the calling thread holds: all, and those of one kind. */
unsigned int held_mutexes();
unsigned int held_mutexes(glue_mutex_kind kind);
/* The calling thread is an RCU reader. */

} /* namespace fake */

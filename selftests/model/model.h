/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the UAPI: what each call answers, and what there is after it, as
 * Documentation/uapi.rst tells it. It shares nothing with the driver but <linux/vfio.h>, and is
 * simple rather than fast: a table is a map of its entries, a count is made when it is asked for.
 *
 * The machine is the test's: it says what memory its processes have and what windows its groups can
 * have. Nothing fails in the model for want of memory. Where the test has made something fail, it
 * takes the model's state for one of those that may come of that.
 *
 * All of a State is a value, without pointers: it can be copied and compared. Its functions are in
 * the files that are named after what they are about.
 */
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace model {

using Address = unsigned long;
using Entries = unsigned long;

constexpr unsigned int shift_4k = 12;

inline bool overflows(Address start, unsigned long size)
{
	return start + size < start;
}

/* Addresses, which can go up to the last one that there is. */
struct Range {
	bool contains(const Range &other) const
	{
		return first <= other.first && other.last <= last;
	}
	bool overlaps(const Range &other) const
	{
		return first <= other.last && other.first <= last;
	}

	Address first;
	Address last;
};

/* Mapped memory of a process; contiguous, also for the machine. */
struct Memory {
	Address start;
	unsigned long size;
	Address page;
	bool writable;
	/* Of hugetlb pages (log2); 0 for others. */
	unsigned int huge_shift;
};

/* Registered memory. */
struct Region {
	unsigned long size;
	/* Containers that have registered it, and one while it is an orphan. */
	unsigned long users = 1;
	bool is_orphan = false;
};

struct Process {
	/* nullptr: it has none there. */
	const Memory *find_memory(Address address) const;

	std::vector<Memory> memory;
	unsigned long locked_limit;
	/* Pages that are charged. */
	unsigned long locked = 0;
	std::map<Address, Region> regions = {};
};

/* How a group gets its tables. */
enum class Platform {
	OwnTables,
	KernelTables,
	DynamicWindows,
	BorrowedWindow,
};

struct Group {
	Platform platform;
	Address default_start;
	unsigned long default_size;
	/* What the platform can do; see page_sizes() and so on for what the user can have. */
	unsigned long page_sizes;
	unsigned int max_windows;
	unsigned int max_levels;
	/* EEH knows it. */
	bool has_pe = true;
	bool mmio_is_frozen = false;
	bool dma_is_frozen = false;
	bool is_in_reset = false;
	/* Where its PHB has windows of its own, beyond the first 4 GiB. */
	std::vector<Range> mmio = {};
};

/* What a device can do by an entry, and whose memory it is. */
struct Entry {
	Address page;
	bool device_reads;
	bool device_writes;
	Address user;
	bool operator==(const Entry &) const = default;
};

struct Window {
	bool contains(Address address) const { return address - start < size; }
	unsigned long page_size() const { return 1UL << page_shift; }
	Entries first() const { return start >> page_shift; }
	/* Of the entry that comes @place entries after the first, or begins again after the last.
	 */
	Entries number_of(Entries place) const { return first() + place % (size >> page_shift); }

	Address start;
	unsigned int page_shift;
	unsigned long size;
	/* Pages that its table and the view are charged with. */
	unsigned long charge;
	/* By number, counted from address 0. */
	std::map<Entries, Entry> entries = {};
};

constexpr unsigned int max_windows = 2;

/* Of one MAP_DMA of type 1. */
struct Mapping {
	unsigned long size;
	/* Who made it, and the pages that he is charged with. */
	unsigned int process;
	unsigned long charge;
};

struct Type1 {
	unsigned int version;
	unsigned long most_mappings;
	/* By their first address. */
	std::map<Address, Mapping> mappings = {};
	/* What can be mapped, in order. */
	std::vector<Range> space = {};
};

struct Container {
	bool is_open = false;
	/* 1 or 2; 0: of type 1. */
	unsigned int version = 2;
	std::optional<Type1> type1 = {};
	std::vector<unsigned int> groups = {};
	std::array<std::optional<Window>, max_windows> windows = {};
	/* The process that it belongs to. */
	std::optional<unsigned int> owner = {};
	/* What it has registered: sizes by start. */
	std::map<Address, unsigned long> registered = {};
	bool default_window_is_pending = false;
	bool is_enabled = false;
	/* v1: by ENABLE, and for kernel pages beyond those. */
	unsigned long window_charge = 0;
	unsigned long page_charge = 0;
};

/* What the test's machine has that is the same for all groups. */
struct Machine {
	unsigned int kernel_page_shift;
	unsigned long ram_pages;
	/* The largest block of memory of a table (log2). */
	unsigned int block_shift;
	Address second_window;
	/* What the kernel's platform code says that a table takes. */
	unsigned long (*table_size)(unsigned int page_shift, unsigned long size,
				    unsigned int levels);
};

/* How the test hands an ioctl's argument over. */
enum class Access { ReadWrite, ReadOnly, None };

class State {
public:
	explicit State(const Machine &of_machine) : machine(of_machine) {}

	/* --- calls: 0, a positive answer or a negative errno ---------------------------------- */

	long open(unsigned int container, unsigned int version);
	long open_type1(unsigned int container, unsigned int version);
	void close(unsigned int container);
	long attach(unsigned int container, unsigned int group);
	void detach(unsigned int container, unsigned int group);
	/* The answer is put into @argument. */
	long ioctl(unsigned int container, unsigned int process, unsigned int command,
		   void *argument, Access access);
	long check_extension(unsigned int container, unsigned long extension) const;

	/*
	 * KVM maps an entry for @process, at most of the size of its page, or with no @user unmaps
	 * it. False: it leaves that to user space.
	 */
	bool kvm_put(unsigned int container, unsigned int window, unsigned int process,
		     Entries number, Address user);

	/* --- what may come of a call in which something was made to fail -----------------------
	 */

	/* Makes the default window, if it is pending. */
	long make_default_window(unsigned int container);
	/* Empties an entry. */
	void unmap(unsigned int container, unsigned int window, Entries number);
	/* A container belongs to @process, if to nobody else. */
	void claim(unsigned int container, unsigned int process);
	/* Makes the windows of type 1, if they are pending, but for the dynamic one. */
	void go_without_dynamic_window(unsigned int container);

	/* --- counts ----------------------------------------------------------------------------
	 */

	/* Entries that lead to a region of a process. */
	unsigned long mapped(unsigned int process, Address region) const;
	/* Pins on all pages together. */
	unsigned long pins() const;

	Machine machine;
	/* New containers can be of type 1, and how many mappings they can have then. */
	bool type1_is_on = false;
	unsigned long mapping_limit = 65535;
	std::vector<Process> processes = {};
	std::vector<Group> groups = {};
	std::vector<Container> containers = {};
	/* Pages of the kernel's that a device may have written to, of entries that are no more. */
	std::set<Address> dirty = {};

private:
	/* An ioctl on its way. */
	struct Call {
		Container &container;
		unsigned int process;
		void *argument;
		Access access;
	};

	long dispatch(Call &call, unsigned int command);
	long get_info(Call &call);
	long map(Call &call);
	long unmap(Call &call);
	long enable(Call &call);
	long disable(Call &call);
	long register_memory(Call &call);
	long unregister_memory(Call &call);
	long create(Call &call);
	long remove(Call &call);
	long eeh(Call &call);

	long dispatch_type1(Call &call, unsigned int command);
	long get_type1_info(Call &call);
	long map_type1(Call &call);
	long unmap_type1(Call &call);
	long add_mapping(Call &call, const Range &range, Address user, unsigned int flags);
	void undo_mapping(Container &container, Address first);
	void undo_all(Container &container);
	void make_type1_windows(Container &container, bool has_dynamic);
	Window dynamic_window() const;
	unsigned long type1_page(const Container &container) const;
	std::vector<Range> find_space(const Container &container) const;
	bool can_join(const Container &container, const Group &joining) const;

	static long check_caller(const Call &call, long decoded);
	static void claim(Call &call);
	long decode_memory(const Call &call, Address &start, unsigned long &size) const;
	long map_range(Container &container, Window &window, Address iova, Address user,
		       unsigned long size, unsigned int flags);
	void disable(Container &container);
	const Group &group_of(const Container &container) const;
	Process &owner_of(const Container &container);
	const Process &owner_of(const Container &container) const;
	static long charge(Process &process, unsigned long pages);
	unsigned long to_pages(unsigned long size) const;
	unsigned long page_sizes(const Group &group) const;
	unsigned int least_shift() const;
	unsigned long window_size(const Group &group, unsigned int page_shift,
				  unsigned long size) const;
	bool is_possible(const Group &group, unsigned int page_shift, unsigned long size,
			 unsigned int levels) const;
	long table_memory(const Group &group, unsigned int page_shift, unsigned long size,
			  unsigned int levels, unsigned long &memory) const;
	long check_platform(const Container &container, unsigned int place, unsigned int page_shift,
			    unsigned long size, unsigned int levels) const;
	Address start_of(const Group &group, unsigned int place, unsigned int page_shift,
			 unsigned long size) const;
	long make_window(Container &container, unsigned int page_shift, unsigned long size,
			 unsigned int levels, unsigned int &place);
	long make_default_window(Container &container);
	long find_window_for_dma(Container &container, Address iova, Window *&window);
	void drop_window(Container &container, unsigned int place);
	void empty(Window &window);
	bool is_mappable(const Container &container, Address user, unsigned int page_shift) const;
	static bool is_pinnable(const Process &process, Address user, unsigned long size,
				bool device_writes);
	void put_entries(const Process &process, const Group &group, Window &window, Address iova,
			 Address user, unsigned long size, unsigned int flags);
	std::set<Address> pinned_pages(const Container &container) const;
	long charge_pinned(Container &container, Address user, unsigned long size);
	void give_back_pinned(Container &container);
	void take_out(Window &window, Entries number);
	void take_out_range(Window &window, Address iova, unsigned long size);
	void put_region(unsigned int process, Address start);
	void put_orphans(unsigned int process);
};

} /* namespace model */

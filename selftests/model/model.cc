// SPDX-License-Identifier: GPL-2.0-only
#include "selftests/model/model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/vfio.h>

#include "selftests/model/arguments.h"

namespace model {

namespace {

constexpr unsigned int page_4k = 12;
constexpr unsigned int entry_shift = 3;
/* What a PHB can address through a table. */
constexpr unsigned int most_address_bits = 55;
/* Of the kernel's <asm/eeh.h>, which is of powerpc only. */
constexpr unsigned int last_error_type = 1;
constexpr unsigned int last_error_function = 19;

unsigned int log2_of(unsigned long power)
{
	return static_cast<unsigned int>(__builtin_ctzl(power));
}

bool is_power_of_two(unsigned long number)
{
	return number && !(number & (number - 1));
}

bool overflows(Address start, unsigned long size)
{
	return start + size < start;
}

/* The blocks of a table have a number of entries (log2) that is the same on all levels. */
unsigned int block_shift(unsigned int entries_shift, unsigned int levels, unsigned int least)
{
	return std::max((entries_shift + levels - 1) / levels, least);
}

/* All blocks of all levels. */
unsigned long size_of_levels(unsigned int entries_shift, unsigned int levels, unsigned int shift)
{
	unsigned long size = 0;

	for (unsigned int level = 1; level <= levels; ++level) {
		unsigned int covered = level * shift;
		unsigned long blocks = covered < entries_shift ? 1UL << (entries_shift - covered)
							       : 1;

		size += blocks << (shift + entry_shift);
	}
	return size;
}

/* Blocks of a kernel page, on as many levels as that takes. */
unsigned long size_of_view(unsigned int entries_shift, unsigned int least)
{
	unsigned int levels = std::max((entries_shift + least - 1) / least, 1U);

	return size_of_levels(entries_shift, levels, least);
}

/* One table can serve both; a partition's cannot. */
bool can_share(const Group &one, const Group &other)
{
	return one.platform == other.platform &&
	       (one.platform == Platform::OwnTables || one.platform == Platform::KernelTables);
}

} /* namespace */

const Memory *Process::find_memory(Address address) const
{
	for (const Memory &part : memory) {
		if (address - part.start < part.size)
			return &part;
	}
	return nullptr;
}

/* --- calls --------------------------------------------------------------------------------- */

long State::open(unsigned int container, unsigned int version)
{
	containers[container] = Container{ .is_open = true, .version = version };
	return 0;
}

void State::close(unsigned int number)
{
	Container &container = containers[number];

	while (!container.groups.empty())
		detach(number, container.groups.front());
	if (container.version == 1)
		disable(container);
	for (const auto &[start, size] : container.registered)
		put_region(*container.owner, start);
	if (container.owner)
		put_orphans(*container.owner);
	container = Container();
}

long State::attach(unsigned int number, unsigned int group)
{
	Container &container = containers[number];
	const Group &added = groups[group];

	if (std::ranges::count(container.groups, group) ||
	    (container.version == 1 && !container.groups.empty()))
		return -EBUSY;

	if (!container.groups.empty() && !can_share(group_of(container), added))
		return -EPERM;
	if (container.type1 && !can_join(container, added))
		return -EINVAL;
	if (container.groups.empty())
		container.default_window_is_pending = true;
	container.groups.push_back(group);
	if (container.type1)
		container.type1->space = find_space(container);
	return 0;
}

void State::detach(unsigned int number, unsigned int group)
{
	Container &container = containers[number];

	std::erase(container.groups, group);
	if (container.type1)
		container.type1->space = find_space(container);
	if (!container.groups.empty())
		return;
	if (container.type1)
		undo_all(container);
	for (unsigned int place = 0; place < max_windows; ++place)
		drop_window(container, place);
	give_back_pinned(container);
}

long State::ioctl(unsigned int container, unsigned int process, unsigned int command,
		  void *argument, Access access)
{
	Call call = { containers[container], process, argument, access };

	return call.container.is_open ? dispatch(call, command) : -ENODEV;
}

long State::dispatch(Call &call, unsigned int command)
{
	bool is_v1 = call.container.version == 1;

	if (call.container.type1)
		return dispatch_type1(call, command);
	switch (command) {
	case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
		return get_info(call);
	case VFIO_IOMMU_MAP_DMA:
		return map(call);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap(call);
	case VFIO_EEH_PE_OP:
		return eeh(call);
	case VFIO_IOMMU_ENABLE:
		return is_v1 ? enable(call) : -ENOTTY;
	case VFIO_IOMMU_DISABLE:
		return is_v1 ? disable(call) : -ENOTTY;
	case VFIO_IOMMU_SPAPR_REGISTER_MEMORY:
		return is_v1 ? -ENOTTY : register_memory(call);
	case VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY:
		return is_v1 ? -ENOTTY : unregister_memory(call);
	case VFIO_IOMMU_SPAPR_TCE_CREATE:
		return is_v1 ? -ENOTTY : create(call);
	case VFIO_IOMMU_SPAPR_TCE_REMOVE:
		return is_v1 ? -ENOTTY : remove(call);
	default:
		return -ENOTTY;
	}
}

/* What is wrong with the argument comes before what is wrong with the caller. */
long State::check_caller(const Call &call, long decoded)
{
	if (decoded)
		return decoded;
	return call.container.owner.value_or(call.process) == call.process ? 0 : -EPERM;
}

void State::claim(Call &call)
{
	if (!call.container.owner)
		call.container.owner = call.process;
}

void State::claim(unsigned int container, unsigned int process)
{
	/* One of type 1 is everybody's who has the file. */
	if (!containers[container].owner && !containers[container].type1)
		containers[container].owner = process;
}

long State::get_info(Call &call)
{
	using Info = vfio_iommu_spapr_tce_info;
	Info info = {};
	long error = check_caller(call, read(info, call.argument, call.access,
					     SIZE_UP_TO(Info, dma32_window_size), ~0U));

	if (error)
		return error;
	if (call.container.groups.empty())
		return -ENXIO;

	const Group &group = group_of(call.container);
	bool is_borrowed = group.platform == Platform::BorrowedWindow;
	Info answer = {};

	answer.argsz = info.argsz;
	answer.dma32_window_start = static_cast<__u32>(group.default_start);
	answer.dma32_window_size = static_cast<__u32>(group.default_size);
	if (call.container.version == 2) {
		answer.flags = is_borrowed ? 0 : VFIO_IOMMU_SPAPR_INFO_DDW;
		answer.ddw.pgsizes = page_sizes(group);
		answer.ddw.max_dynamic_windows_supported = is_borrowed ? 1 : group.max_windows;
		answer.ddw.levels = is_borrowed ? 1 : group.max_levels;
	}
	if (call.access == Access::ReadOnly)
		return -EFAULT;
	std::memcpy(call.argument, &answer,
		    info.argsz >= SIZE_UP_TO(Info, ddw) ? SIZE_UP_TO(Info, ddw)
							: SIZE_UP_TO(Info, dma32_window_size));
	return 0;
}

/* --- v1 ------------------------------------------------------------------------------------ */

long State::enable(Call &call)
{
	Container &container = call.container;
	long error = check_caller(call, 0);

	if (error)
		return error;
	if (container.is_enabled)
		return -EBUSY;
	if (container.groups.empty())
		return -ENXIO;

	unsigned long pages = to_pages(group_of(container).default_size);

	if (!pages)
		return -EPERM;
	claim(call);
	error = charge(owner_of(container), pages);
	if (error)
		return error;
	container.window_charge = pages;
	container.is_enabled = true;
	return 0;
}

long State::disable(Call &call)
{
	long error = check_caller(call, 0);

	if (!error)
		disable(call.container);
	return error;
}

void State::disable(Container &container)
{
	if (!container.is_enabled)
		return;
	for (std::optional<Window> &window : container.windows) {
		if (window)
			empty(*window);
	}
	give_back_pinned(container);
	owner_of(container).locked -= container.window_charge;
	container.window_charge = 0;
	container.is_enabled = false;
}

/* All of the memory is there, and can be written to if the device may. */
bool State::is_pinnable(const Process &process, Address user, unsigned long size,
			bool device_writes)
{
	for (Address at = user; at - user < size; at += 1UL << page_4k) {
		const Memory *memory = process.find_memory(at);

		if (!memory || (device_writes && !memory->writable))
			return false;
	}
	return true;
}

/* The kernel's pages that the entries of a v1 container have pinned. */
std::set<Address> State::pinned_pages(const Container &container) const
{
	std::set<Address> pages;

	for (const std::optional<Window> &window : container.windows) {
		if (!window)
			continue;
		for (const auto &[number, entry] : window->entries)
			pages.insert(entry.page >> machine.kernel_page_shift);
	}
	return pages;
}

/*
 * Where the kernel's pages are larger than those of the window there can be more of them than
 * ENABLE has charged. The old ones are still pinned when the new ones are charged.
 */
long State::charge_pinned(Container &container, Address user, unsigned long size)
{
	if (machine.kernel_page_shift == page_4k)
		return 0;

	std::set<Address> pages = pinned_pages(container);
	Process &process = owner_of(container);

	for (Address at = user; at < user + size; at += 1UL << page_4k) {
		const Memory *memory = process.find_memory(at);

		pages.insert((memory->page + (at - memory->start)) >> machine.kernel_page_shift);
	}

	unsigned long charged = container.window_charge + container.page_charge;

	if (pages.size() <= charged)
		return 0;

	long error = charge(process, pages.size() - charged);

	if (!error)
		container.page_charge = pages.size() - container.window_charge;
	return error;
}

void State::give_back_pinned(Container &container)
{
	if (!container.page_charge)
		return;

	unsigned long pages = pinned_pages(container).size();
	unsigned long beyond = pages > container.window_charge ? pages - container.window_charge
							       : 0;

	if (container.page_charge <= beyond)
		return;
	owner_of(container).locked -= container.page_charge - beyond;
	container.page_charge = beyond;
}

/* --- registered memory --------------------------------------------------------------------- */

long State::decode_memory(const Call &call, Address &start, unsigned long &size) const
{
	vfio_iommu_spapr_register_memory memory = {};
	unsigned long in_page = (1UL << machine.kernel_page_shift) - 1;
	long error = read(memory, call.argument, call.access, sizeof(memory), 0);

	if (error)
		return error;
	start = memory.vaddr;
	size = memory.size;
	return !size || (start | size) & in_page || overflows(start, size) ? -EINVAL : 0;
}

long State::register_memory(Call &call)
{
	Container &container = call.container;
	Address start;
	unsigned long size;
	long error = check_caller(call, decode_memory(call, start, size));

	if (error)
		return error;
	claim(call);

	Process &process = owner_of(container);
	auto overlaps = [&](Address other, unsigned long other_size) {
		return other < start + size && start < other + other_size;
	};
	auto own = container.registered.find(start);

	if (own != container.registered.end() && own->second == size)
		return -EBUSY;
	if (!start)
		return -EINVAL;
	for (const auto &[other, other_size] : container.registered) {
		if (overlaps(other, other_size))
			return -EINVAL;
	}

	auto same = process.regions.find(start);

	if (same != process.regions.end() && same->second.size == size) {
		++same->second.users;
	} else {
		if (to_pages(size) > machine.ram_pages || charge(process, to_pages(size)))
			return -ENOMEM;
		for (Address at = start; !error && at < start + size;
		     at += 1UL << machine.kernel_page_shift) {
			const Memory *memory = process.find_memory(at);

			error = memory && memory->writable ? 0 : -EFAULT;
		}
		for (const auto &[other, region] : process.regions) {
			if (!error && overlaps(other, region.size))
				error = -EINVAL;
		}
		if (error) {
			process.locked -= to_pages(size);
			return error;
		}
		process.regions[start] = Region{ .size = size };
	}
	container.registered[start] = size;
	container.is_enabled = true;
	return 0;
}

long State::unregister_memory(Call &call)
{
	Container &container = call.container;
	Address start;
	unsigned long size;
	long error = check_caller(call, decode_memory(call, start, size));

	if (error)
		return error;
	if (!container.owner)
		return -EPERM;

	auto own = container.registered.find(start);

	if (own == container.registered.end() || own->second != size)
		return -ENOENT;
	if (owner_of(container).regions.at(start).users == 1 && mapped(*container.owner, start))
		return -EBUSY;
	container.registered.erase(own);
	put_region(*container.owner, start);
	return 0;
}

/* The last user leaves it as an orphan where there are entries that lead to it. */
void State::put_region(unsigned int process, Address start)
{
	std::map<Address, Region> &regions = processes[process].regions;
	Region &region = regions.at(start);

	if (region.users > 1) {
		--region.users;
	} else if (mapped(process, start)) {
		region.is_orphan = true;
	} else {
		processes[process].locked -= to_pages(region.size);
		regions.erase(start);
	}
}

void State::put_orphans(unsigned int process)
{
	std::vector<Address> orphans;

	for (auto &[start, region] : processes[process].regions) {
		if (region.is_orphan)
			orphans.push_back(start);
	}
	for (Address start : orphans) {
		processes[process].regions.at(start).is_orphan = false;
		put_region(process, start);
	}
}

unsigned long State::mapped(unsigned int process, Address start) const
{
	unsigned long size = processes[process].regions.at(start).size;
	unsigned long count = 0;

	for (const Container &container : containers) {
		if (container.version != 2 || container.owner != process)
			continue;
		for (const std::optional<Window> &window : container.windows) {
			if (!window)
				continue;
			for (const auto &[number, entry] : window->entries)
				count += entry.user - start < size;
		}
	}
	return count;
}

unsigned long State::pins() const
{
	unsigned long count = 0;

	for (const Process &process : processes) {
		for (const auto &[start, region] : process.regions)
			count += to_pages(region.size);
	}
	for (const Container &container : containers) {
		for (const std::optional<Window> &window : container.windows) {
			if (window && container.version != 2)
				count += window->entries.size();
		}
	}
	return count;
}

/* --- mapping ------------------------------------------------------------------------------- */

long State::find_window_for_dma(Container &container, Address iova, Window *&found)
{
	if (!container.is_enabled)
		return -EPERM;
	if (container.groups.empty())
		return -ENXIO;

	long error = make_default_window(container);

	if (error)
		return error;
	for (std::optional<Window> &window : container.windows) {
		if (!window || !window->contains(iova))
			continue;
		found = &*window;
		return 0;
	}
	return -ENXIO;
}

/* Whole pages of the window, all in it. */
static long check_range(const Window &window, Address iova, unsigned long size)
{
	if (!size || (iova | size) & (window.page_size() - 1))
		return -EINVAL;
	return size > window.size - (iova - window.start) ? -EINVAL : 0;
}

long State::map(Call &call)
{
	using Map = vfio_iommu_type1_dma_map;
	Map map = {};
	Window *window = nullptr;
	long error = read(map, call.argument, call.access, SIZE_UP_TO(Map, size),
			  VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);

	if (!error && (!map.flags || overflows(map.vaddr, map.size)))
		error = -EINVAL;
	error = check_caller(call, error);
	if (!error)
		error = find_window_for_dma(call.container, map.iova, window);
	if (!error && map.vaddr & (window->page_size() - 1))
		error = -EINVAL;
	if (!error)
		error = check_range(*window, map.iova, map.size);
	if (!error)
		error = map_range(call.container, *window, map.iova, map.vaddr, map.size,
				  map.flags);
	return error;
}

long State::map_range(Container &container, Window &window, Address iova, Address user,
		      unsigned long size, unsigned int flags)
{
	if (container.version == 1) {
		if (!is_pinnable(owner_of(container), user, size, flags & VFIO_DMA_MAP_FLAG_WRITE))
			return -EFAULT;
		if (charge_pinned(container, user, size))
			return -ENOMEM;
	} else {
		for (Address at = user; at < user + size; at += window.page_size()) {
			if (!is_mappable(container, at, window.page_shift))
				return -EINVAL;
		}
	}
	put_entries(owner_of(container), group_of(container), window, iova, user, size, flags);
	give_back_pinned(container);
	return 0;
}

void State::put_entries(const Process &process, const Group &group, Window &window, Address iova,
			Address user, unsigned long size, unsigned int flags)
{
	bool device_writes = flags & VFIO_DMA_MAP_FLAG_WRITE;
	/* A PHB lets nobody write who cannot read; a partition's does. */
	bool device_reads = flags & VFIO_DMA_MAP_FLAG_READ ||
			    group.platform == Platform::OwnTables ||
			    group.platform == Platform::KernelTables;

	for (Address at = iova; at - iova < size;
	     at += window.page_size(), user += window.page_size()) {
		const Memory &memory = *process.find_memory(user);
		Entries number = at >> window.page_shift;

		take_out(window, number);
		window.entries[number] = { memory.page + (user - memory.start), device_reads,
					   device_writes, user };
	}
}

/* A page of the window is in one region of the container, and in one page of the memory. */
bool State::is_mappable(const Container &container, Address user, unsigned int page_shift) const
{
	auto next = container.registered.upper_bound(user);

	if (next == container.registered.begin())
		return false;

	auto [start, size] = *std::prev(next);
	Address end = start + size;

	if (user >= end || end - user < 1UL << page_shift)
		return false;
	if (page_shift <= machine.kernel_page_shift)
		return true;

	/* The kernel goes by what the region begins with and how it is aligned. */
	const Process &process = owner_of(container);
	const Memory *first = process.find_memory(start);
	const Memory *memory = process.find_memory(user);

	return first->huge_shift >= page_shift && memory->huge_shift >= page_shift &&
	       !((start | size) & ((1UL << page_shift) - 1));
}

long State::unmap(Call &call)
{
	using Unmap = vfio_iommu_type1_dma_unmap;
	Unmap unmap = {};
	Window *window = nullptr;
	long error = check_caller(
		call, read(unmap, call.argument, call.access, SIZE_UP_TO(Unmap, size), 0));

	if (!error)
		error = find_window_for_dma(call.container, unmap.iova, window);
	if (!error)
		error = check_range(*window, unmap.iova, unmap.size);
	if (error)
		return error;

	take_out_range(*window, unmap.iova, unmap.size);
	give_back_pinned(call.container);
	return 0;
}

void State::take_out_range(Window &window, Address iova, unsigned long size)
{
	auto at = window.entries.lower_bound(iova >> window.page_shift);
	auto end = window.entries.lower_bound((iova + size) >> window.page_shift);

	while (at != end)
		take_out(window, (at++)->first);
}

void State::unmap(unsigned int container, unsigned int window, Entries number)
{
	take_out(*containers[container].windows[window], number);
	give_back_pinned(containers[container]);
}

void State::take_out(Window &window, Entries number)
{
	auto entry = window.entries.find(number);

	if (entry == window.entries.end())
		return;
	if (entry->second.device_writes)
		dirty.insert(entry->second.page >> machine.kernel_page_shift);
	window.entries.erase(entry);
}

bool State::kvm_put(unsigned int number, unsigned int place, unsigned int process, Entries entry,
		    Address user)
{
	const Container &container = containers[number];
	Window &window = *containers[number].windows[place];
	bool is_open = group_of(container).platform == Platform::KernelTables ||
		       (container.version == 2 && container.owner == process &&
			window.page_shift <= machine.kernel_page_shift);

	if (!user) {
		if (is_open)
			take_out(window, entry);
		return !window.entries.contains(entry);
	}
	if (!is_open)
		return false;
	for (const auto &[start, region] : processes[process].regions) {
		if (user - start >= region.size || start + region.size - user < window.page_size())
			continue;

		const Memory &memory = *processes[process].find_memory(user);

		take_out(window, entry);
		window.entries[entry] = { memory.page + (user - memory.start), true, true, user };
		return true;
	}
	return false;
}

/* --- windows ------------------------------------------------------------------------------- */

unsigned long State::page_sizes(const Group &group) const
{
	switch (group.platform) {
	case Platform::KernelTables:
		return group.page_sizes & ((2UL << machine.kernel_page_shift) - 1);
	case Platform::BorrowedWindow:
		return 1UL << page_4k;
	default:
		return group.page_sizes;
	}
}

unsigned int State::least_shift() const
{
	return machine.kernel_page_shift - entry_shift;
}

bool State::is_possible(const Group &group, unsigned int page_shift, unsigned long size,
			unsigned int levels) const
{
	if (group.platform == Platform::BorrowedWindow)
		return page_shift == page_4k && size == group.default_size && levels;
	return page_shift < 64 && page_sizes(group) & 1UL << page_shift && is_power_of_two(size) &&
	       size >> page_shift && levels && levels <= group.max_levels;
}

/* What a table of a possible window and its view take at most. */
long State::table_memory(const Group &group, unsigned int page_shift, unsigned long size,
			 unsigned int levels, unsigned long &memory) const
{
	unsigned int entries_shift = log2_of(size) - page_shift;
	unsigned int shift = block_shift(entries_shift, levels, least_shift());
	unsigned long view = size_of_view(entries_shift, least_shift());
	bool is_allocatable = shift + entry_shift <= machine.block_shift;

	switch (group.platform) {
	case Platform::OwnTables:
	case Platform::KernelTables:
		if (shift * levels + page_shift >= most_address_bits)
			return -EINVAL;
		memory = group.platform == Platform::OwnTables
				 ? size_of_levels(entries_shift, levels, shift) + view
				 : machine.table_size(page_shift, size, levels);
		return is_allocatable ? 0 : -ENOMEM;
	case Platform::DynamicWindows:
		memory = machine.table_size(page_shift, size, levels);
		if (to_pages(memory) > machine.ram_pages)
			return -ENOMEM;
		memory += 2 * view;
		return 0;
	default:
		memory = 2 * view;
		return 0;
	}
}

/* Where a partition gets its first window rather than a dynamic one. */
static bool is_like_default(const Group &group, unsigned int place, unsigned int page_shift,
			    unsigned long size)
{
	return !place && page_shift == page_4k && size <= group.default_size;
}

/* A dynamic window is where the hypervisor puts it, in the first place, too. */
Address State::start_of(const Group &group, unsigned int place, unsigned int page_shift,
			unsigned long size) const
{
	bool is_second = group.platform == Platform::DynamicWindows
				 ? !is_like_default(group, place, page_shift, size)
				 : place != 0;

	return is_second ? machine.second_window : group.default_start;
}

/* What the kernel's platform code refuses. */
long State::check_platform(const Container &container, unsigned int place, unsigned int page_shift,
			   unsigned long size, unsigned int levels) const
{
	const Group &group = group_of(container);
	unsigned int shift = block_shift(log2_of(size) - page_shift, levels, least_shift());

	if (group.platform == Platform::DynamicWindows) {
		for (unsigned int other = 0; other < max_windows; ++other) {
			const std::optional<Window> &window = container.windows[other];

			/* Beside a dynamic one there can be none. */
			if (window &&
			    !is_like_default(group, other, window->page_shift, window->size))
				return is_like_default(group, place, page_shift, size) ? -EPERM
										       : -ENOSPC;
		}
	}
	if (group.platform == Platform::DynamicWindows)
		return shift * levels + page_shift >= most_address_bits ? -EINVAL : 0;
	return 0;
}

long State::make_window(Container &container, unsigned int page_shift, unsigned long size,
			unsigned int levels, unsigned int &place)
{
	const Group &group = group_of(container);
	unsigned int most = group.platform == Platform::BorrowedWindow ? 1 : group.max_windows;
	unsigned long memory = 0;

	if (!is_possible(group, page_shift, size, levels))
		return -EINVAL;

	long error = table_memory(group, page_shift, size, levels, memory);

	if (error)
		return error;
	for (place = 0; place < most && container.windows[place];)
		++place;
	if (place == most)
		return -ENOSPC;

	unsigned long pages = to_pages(memory);

	if (charge(owner_of(container), pages))
		return -ENOMEM;
	error = check_platform(container, place, page_shift, size, levels);
	if (error) {
		owner_of(container).locked -= pages;
		return error;
	}
	container.windows[place] = Window{ .start = start_of(group, place, page_shift, size),
					   .page_shift = page_shift,
					   .size = size,
					   .charge = pages };
	return 0;
}

long State::make_default_window(unsigned int container)
{
	return make_default_window(containers[container]);
}

long State::make_default_window(Container &container)
{
	unsigned int place;

	if (!container.default_window_is_pending)
		return 0;
	if (container.type1) {
		make_type1_windows(container, true);
		return 0;
	}

	long error = make_window(container, page_4k, group_of(container).default_size, 1, place);

	if (!error)
		container.default_window_is_pending = false;
	return error;
}

long State::create(Call &call)
{
	using Create = vfio_iommu_spapr_tce_create;
	Create create = {};
	unsigned int place;
	long error =
		check_caller(call, read(create, call.argument, call.access, sizeof(create), 0));

	if (error)
		return error;
	if (call.container.groups.empty())
		return -ENXIO;
	claim(call);
	error = make_default_window(call.container);
	if (!error)
		error = make_window(call.container, create.page_shift, create.window_size,
				    create.levels, place);
	if (error)
		return error;
	if (call.access == Access::ReadOnly) {
		drop_window(call.container, place);
		return -EFAULT;
	}
	create.start_addr = call.container.windows[place]->start;
	std::memcpy(call.argument, &create, sizeof(create));
	return 0;
}

long State::remove(Call &call)
{
	using Remove = vfio_iommu_spapr_tce_remove;
	Remove remove = {};
	Container &container = call.container;
	long error =
		check_caller(call, read(remove, call.argument, call.access, sizeof(remove), 0));

	if (error)
		return error;
	if (container.groups.empty())
		return -ENXIO;
	claim(call);

	const Group &group = group_of(container);

	if (container.default_window_is_pending &&
	    remove.start_addr - group.default_start < group.default_size) {
		container.default_window_is_pending = false;
		return 0;
	}
	for (unsigned int place = 0; place < max_windows; ++place) {
		if (container.windows[place] &&
		    container.windows[place]->contains(remove.start_addr)) {
			drop_window(container, place);
			return 0;
		}
	}
	return -EINVAL;
}

void State::drop_window(Container &container, unsigned int place)
{
	std::optional<Window> &window = container.windows[place];

	if (!window)
		return;
	empty(*window);
	if (window->charge)
		owner_of(container).locked -= window->charge;
	window.reset();
}

void State::empty(Window &window)
{
	while (!window.entries.empty())
		take_out(window, window.entries.begin()->first);
}

/* --- EEH ----------------------------------------------------------------------------------- */

static long perform(Group &group, unsigned int operation)
{
	switch (operation) {
	case VFIO_EEH_PE_GET_STATE:
		if (group.is_in_reset)
			return VFIO_EEH_PE_STATE_RESET;
		if (group.mmio_is_frozen)
			return group.dma_is_frozen ? VFIO_EEH_PE_STATE_STOPPED
						   : VFIO_EEH_PE_STATE_UNAVAIL;
		return group.dma_is_frozen ? VFIO_EEH_PE_STATE_STOPPED_DMA
					   : VFIO_EEH_PE_STATE_NORMAL;
	case VFIO_EEH_PE_UNFREEZE_IO:
		group.mmio_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_UNFREEZE_DMA:
		group.dma_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_ENABLE:
		group.mmio_is_frozen = group.dma_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_RESET_DEACTIVATE:
		group.is_in_reset = group.mmio_is_frozen = group.dma_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_RESET_HOT:
	case VFIO_EEH_PE_RESET_FUNDAMENTAL:
		group.is_in_reset = group.mmio_is_frozen = group.dma_is_frozen = true;
		return 0;
	case VFIO_EEH_PE_INJECT_ERR:
		group.mmio_is_frozen = group.dma_is_frozen = true;
		return 0;
	default:
		return 0;
	}
}

static long decode_eeh(const void *argument, Access access, vfio_eeh_pe_op &operation)
{
	long error = read(operation, argument, access, SIZE_UP_TO(vfio_eeh_pe_op, op), 0);

	if (error)
		return error;
	if (operation.op > VFIO_EEH_PE_INJECT_ERR)
		return -EINVAL;
	if (operation.op != VFIO_EEH_PE_INJECT_ERR)
		return 0;
	if (operation.argsz < sizeof(operation))
		return -EINVAL;
	std::memcpy(&operation, argument, sizeof(operation));
	return operation.err.type > last_error_type || operation.err.func > last_error_function
		       ? -EINVAL
		       : 0;
}

long State::eeh(Call &call)
{
	vfio_eeh_pe_op operation = {};
	long answer = check_caller(call, decode_eeh(call.argument, call.access, operation));

	if (!answer && call.container.groups.empty())
		answer = -ENODEV;
	for (unsigned int group : call.container.groups) {
		if (!answer)
			answer = groups[group].has_pe ? perform(groups[group], operation.op)
						      : -ENODEV;
	}
	return answer;
}

/* --- what there is ------------------------------------------------------------------------- */

const Group &State::group_of(const Container &container) const
{
	return groups[container.groups.front()];
}

Process &State::owner_of(const Container &container)
{
	return processes[*container.owner];
}

const Process &State::owner_of(const Container &container) const
{
	return processes[*container.owner];
}

long State::charge(Process &process, unsigned long pages)
{
	if (pages > process.locked_limit || process.locked > process.locked_limit - pages)
		return -ENOMEM;
	process.locked += pages;
	return 0;
}

unsigned long State::to_pages(unsigned long size) const
{
	return (size >> machine.kernel_page_shift) +
	       !!(size & ((1UL << machine.kernel_page_shift) - 1));
}

} /* namespace model */

// SPDX-License-Identifier: GPL-2.0-only
/* MAP_DMA, UNMAP_DMA, and what KVM does to entries. */
#include "selftests/model/model.h"

#include <cerrno>

#include <linux/vfio.h>

#include "selftests/model/arguments.h"

namespace model {

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

} /* namespace model */

// SPDX-License-Identifier: GPL-2.0-only
/* CREATE, REMOVE, and which windows a platform can have. */
#include "selftests/model/model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/vfio.h>

#include "selftests/model/arguments.h"

namespace model {

namespace {

constexpr unsigned int entry_shift = 3;
/* What a PHB can address through a table. */
constexpr unsigned int most_address_bits = 55;

unsigned int log2_of(unsigned long power)
{
	return static_cast<unsigned int>(__builtin_ctzl(power));
}

bool is_power_of_two(unsigned long number)
{
	return number && !(number & (number - 1));
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

} /* namespace */

unsigned long State::page_sizes(const Group &group) const
{
	switch (group.platform) {
	case Platform::KernelTables:
		return group.page_sizes & ((2UL << machine.kernel_page_shift) - 1);
	case Platform::BorrowedWindow:
		return 1UL << shift_4k;
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
		return page_shift == shift_4k && size == group.default_size && levels;
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
	return !place && page_shift == shift_4k && size <= group.default_size;
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

/* The kernel's own table is a page of entries at least, and all of it is the window's. */
unsigned long State::window_size(const Group &group, unsigned int page_shift,
				 unsigned long size) const
{
	if (group.platform != Platform::KernelTables)
		return size;
	return std::max(size, 1UL << (least_shift() + page_shift));
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
					   .size = window_size(group, page_shift, size),
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

	long error = make_window(container, shift_4k, group_of(container).default_size, 1, place);

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

} /* namespace model */

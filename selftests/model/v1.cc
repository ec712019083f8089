// SPDX-License-Identifier: GPL-2.0-only
/* What only containers of version 1 have: ENABLE, DISABLE, memory that is pinned by the call. */
#include "selftests/model/model.h"

#include <cerrno>

#include "selftests/model/arguments.h"

namespace model {

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
	for (Address at = user; at - user < size; at += 1UL << shift_4k) {
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
	if (machine.kernel_page_shift == shift_4k)
		return 0;

	std::set<Address> pages = pinned_pages(container);
	Process &process = owner_of(container);

	for (Address at = user; at < user + size; at += 1UL << shift_4k) {
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

} /* namespace model */

// SPDX-License-Identifier: GPL-2.0-only
/* Memory of processes, and what is registered of it. */
#include "selftests/model/model.h"

#include <cerrno>

#include <linux/vfio.h>

#include "selftests/model/arguments.h"

namespace model {

const Memory *Process::find_memory(Address address) const
{
	for (const Memory &part : memory) {
		if (address - part.start < part.size)
			return &part;
	}
	return nullptr;
}

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

} /* namespace model */

// SPDX-License-Identifier: GPL-2.0-only
#include "selftests/model/model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/vfio.h>

#include "selftests/model/arguments.h"

namespace model {

namespace {

/* One table can serve both; a partition's cannot. */
bool can_share(const Group &one, const Group &other)
{
	return one.platform == other.platform &&
	       (one.platform == Platform::OwnTables || one.platform == Platform::KernelTables);
}

} /* namespace */

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

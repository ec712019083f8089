// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers of type 1 in the model: Documentation/type1.rst, and where that says no more than that
 * it is as in the kernel, what the kernel's own type 1 does.
 */
#include "selftests/model/model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/vfio.h>

#include "selftests/model/arguments.h"

namespace model {

namespace {

/* On PowerNV (log2). */
constexpr unsigned int address_bits = 48;
constexpr Range every_address{ 0, ~0UL };
constexpr Address last_of_32_bits = (1UL << 32) - 1;
constexpr unsigned int default_page_shift = 12;

/* What GET_INFO tells, before the ranges. */
struct Info {
	vfio_iommu_type1_info fixed;
	alignas(8) vfio_iommu_type1_info_dma_avail available;
	alignas(8) vfio_iommu_type1_info_cap_iova_range ranges;
};

/* False beyond the last address. @size is not 0. */
bool find_range(Address first, unsigned long size, Range &range)
{
	range = { first, first + (size - 1) };
	return range.first <= range.last;
}

Range range_of(Address first, const Mapping &mapping)
{
	return { first, first + (mapping.size - 1) };
}

bool has(const std::vector<Range> &space, const Range &wanted)
{
	return std::ranges::any_of(space,
				   [&](const Range &range) { return range.contains(wanted); });
}

std::vector<Range> without(const std::vector<Range> &space, const Range &hole)
{
	std::vector<Range> left;

	for (const Range &range : space) {
		if (!range.overlaps(hole)) {
			left.push_back(range);
			continue;
		}
		if (range.first < hole.first)
			left.push_back({ range.first, hole.first - 1 });
		if (range.last > hole.last)
			left.push_back({ hole.last + 1, range.last });
	}
	return left;
}

/* Where the PHB of @group has MMIO. */
std::vector<Range> without_holes(std::vector<Range> space, const Group &group)
{
	Address end = group.default_start + group.default_size;

	for (const Range &hole : group.mmio)
		space = without(space, hole);
	return end <= last_of_32_bits ? without(space, { end, last_of_32_bits }) : space;
}

} /* namespace */

/* --- what there is ------------------------------------------------------------------------- */

long State::open_type1(unsigned int container, unsigned int version)
{
	if (!type1_is_on)
		return -EINVAL;
	containers[container] = Container{
		.is_open = true,
		.version = 0,
		.type1 = Type1{ .version = version, .most_mappings = mapping_limit },
	};
	return 0;
}

/* The machine has EEH, but containers of type 1 have not. */
long State::check_extension(unsigned int container, unsigned long extension) const
{
	bool is_type1 = containers[container].type1.has_value();

	switch (extension) {
	case VFIO_SPAPR_TCE_IOMMU:
	case VFIO_SPAPR_TCE_v2_IOMMU:
		return 1;
	case VFIO_EEH:
		return !is_type1;
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return type1_is_on || is_type1;
	default:
		return 0;
	}
}

long State::dispatch_type1(Call &call, unsigned int command)
{
	switch (command) {
	case VFIO_IOMMU_GET_INFO:
		return get_type1_info(call);
	case VFIO_IOMMU_MAP_DMA:
		return map_type1(call);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_type1(call);
	default:
		return -ENOTTY;
	}
}

/* The pages of all windows; before there is one, those of the kernel. */
unsigned long State::type1_page(const Container &container) const
{
	for (const std::optional<Window> &window : container.windows) {
		if (window)
			return window->page_size();
	}
	return 1UL << machine.kernel_page_shift;
}

std::vector<Range> State::find_space(const Container &container) const
{
	std::vector<Range> space;

	for (const std::optional<Window> &window : container.windows) {
		if (window)
			space.push_back({ window->start, window->start + (window->size - 1) });
	}
	for (unsigned int group : container.groups)
		space = without_holes(space, groups[group]);
	return space;
}

/* Nothing is mapped where @joining has MMIO. */
bool State::can_join(const Container &container, const Group &joining) const
{
	std::vector<Range> space = without_holes(find_space(container), joining);

	return std::ranges::all_of(container.type1->mappings, [&](const auto &mapping) {
		return has(space, range_of(mapping.first, mapping.second));
	});
}

/* --- windows ------------------------------------------------------------------------------- */

void State::make_type1_windows(Container &container, bool has_dynamic)
{
	const Group &group = group_of(container);
	Window standard = { .start = group.default_start,
			    .page_shift = default_page_shift,
			    .size = group.default_size,
			    .charge = 0 };

	switch (group.platform) {
	case Platform::OwnTables:
	case Platform::KernelTables:
		container.windows[0] = Window{ .start = 0,
					       .page_shift = machine.kernel_page_shift,
					       .size = 1UL << address_bits,
					       .charge = 0 };
		break;
	case Platform::DynamicWindows:
		container.windows[0] = standard;
		if (has_dynamic)
			container.windows[1] = dynamic_window();
		break;
	case Platform::BorrowedWindow:
		container.windows[0] = standard;
		break;
	}
	container.default_window_is_pending = false;
	container.type1->space = find_space(container);
}

/* With room for all memory. The machine's groups have dynamic windows with pages of 4K. */
Window State::dynamic_window() const
{
	unsigned long pages = 1;

	while (pages <= machine.ram_pages)
		pages *= 2;
	return { .start = machine.second_window,
		 .page_shift = default_page_shift,
		 .size = pages << machine.kernel_page_shift,
		 .charge = 0 };
}

void State::go_without_dynamic_window(unsigned int number)
{
	Container &container = containers[number];

	if (container.type1 && container.default_window_is_pending && !container.groups.empty())
		make_type1_windows(container, false);
}

/* --- calls --------------------------------------------------------------------------------- */

long State::get_type1_info(Call &call)
{
	Container &container = call.container;
	Info info = {};
	long error = read(info.fixed, call.argument, call.access,
			  SIZE_UP_TO(vfio_iommu_type1_info, iova_pgsizes), ~0U);

	if (error)
		return error;
	if (container.groups.empty())
		return -ENXIO;
	make_default_window(container);

	const Type1 &type1 = *container.type1;
	unsigned long ranges_size = type1.space.size() * sizeof(vfio_iova_range);
	unsigned int room = info.fixed.argsz;
	bool has_room = room >= sizeof(info) + ranges_size;

	info.fixed = {};
	info.fixed.argsz = has_room ? room : static_cast<__u32>(sizeof(info) + ranges_size);
	info.fixed.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.fixed.iova_pgsizes = type1_page(container);
	info.fixed.cap_offset = has_room ? offsetof(Info, available) : 0;
	info.available.header = { VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, 1, offsetof(Info, ranges) };
	info.available.avail = static_cast<__u32>(type1.most_mappings - type1.mappings.size());
	info.ranges.header = { VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 1, 0 };
	info.ranges.nr_iovas = static_cast<__u32>(type1.space.size());
	if (call.access == Access::ReadOnly)
		return -EFAULT;
	if (!has_room) {
		std::memcpy(call.argument, &info.fixed,
			    std::min<unsigned long>(room, sizeof(info.fixed)));
		return 0;
	}
	std::memcpy(call.argument, &info, sizeof(info));
	/* A Range is what the user gets, too. */
	std::memcpy(static_cast<char *>(call.argument) + sizeof(info), type1.space.data(),
		    ranges_size);
	return 0;
}

long State::map_type1(Call &call)
{
	using Map = vfio_iommu_type1_dma_map;
	Map map = {};
	Range range;
	Range memory;
	Container &container = call.container;
	Type1 &type1 = *container.type1;
	long error = read(map, call.argument, call.access, SIZE_UP_TO(Map, size),
			  VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);

	if (error)
		return error;
	if (!map.size)
		return -EINVAL;
	if (!find_range(map.iova, map.size, range) || !find_range(map.vaddr, map.size, memory))
		return -EOVERFLOW;
	if (!map.flags)
		return -EINVAL;
	if (container.groups.empty())
		return -ENXIO;
	make_default_window(container);
	if ((map.iova | map.vaddr | map.size) & (type1_page(container) - 1))
		return -EINVAL;
	for (const auto &[first, mapping] : type1.mappings) {
		if (range_of(first, mapping).overlaps(range))
			return -EEXIST;
	}
	if (type1.mappings.size() >= type1.most_mappings)
		return -ENOSPC;
	if (!has(type1.space, range))
		return -EINVAL;
	return add_mapping(call, range, map.vaddr, map.flags);
}

/* All of the memory is charged before any of it is looked at. */
long State::add_mapping(Call &call, const Range &range, Address user, unsigned int flags)
{
	Container &container = call.container;
	Process &process = processes[call.process];
	unsigned long size = range.last - range.first + 1;
	Address in_page = user & ((1UL << machine.kernel_page_shift) - 1);
	unsigned long pages = to_pages(in_page + size);

	if (charge(process, pages))
		return -ENOMEM;
	if (!is_pinnable(process, user, size, flags & VFIO_DMA_MAP_FLAG_WRITE)) {
		process.locked -= pages;
		return -EFAULT;
	}
	for (std::optional<Window> &window : container.windows) {
		if (window && window->contains(range.first))
			put_entries(process, group_of(container), *window, range.first, user, size,
				    flags);
	}
	container.type1->mappings[range.first] = { size, call.process, pages };
	return 0;
}

long State::unmap_type1(Call &call)
{
	using Unmap = vfio_iommu_type1_dma_unmap;
	Unmap unmap = {};
	Range range = every_address;
	Container &container = call.container;
	Type1 &type1 = *container.type1;
	unsigned long in_page = type1_page(container) - 1;
	long error = read(unmap, call.argument, call.access, SIZE_UP_TO(Unmap, size),
			  VFIO_DMA_UNMAP_FLAG_ALL);

	if (error)
		return error;
	if (unmap.flags) {
		if (unmap.iova || unmap.size)
			return -EINVAL;
	} else {
		if (!unmap.size)
			return -EINVAL;
		if (!find_range(unmap.iova, unmap.size, range))
			return -EOVERFLOW;
		if ((unmap.iova | unmap.size) & in_page)
			return -EINVAL;
	}

	std::vector<Address> found;

	for (const auto &[first, mapping] : type1.mappings) {
		Range mapped = range_of(first, mapping);

		if (!mapped.overlaps(range))
			continue;
		if (type1.version == 2 && !range.contains(mapped))
			return -EINVAL;
		/* The first of v1 that begins before the range ends the call. */
		if (first < range.first)
			break;
		found.push_back(first);
	}
	unmap.size = 0;
	for (Address first : found) {
		unmap.size += type1.mappings.at(first).size;
		undo_mapping(container, first);
	}
	if (call.access == Access::ReadOnly)
		return -EFAULT;
	std::memcpy(call.argument, &unmap, SIZE_UP_TO(Unmap, size));
	return 0;
}

void State::undo_mapping(Container &container, Address first)
{
	Mapping mapping = container.type1->mappings.at(first);

	for (std::optional<Window> &window : container.windows) {
		if (window && window->contains(first))
			take_out_range(*window, first, mapping.size);
	}
	processes[mapping.process].locked -= mapping.charge;
	container.type1->mappings.erase(first);
}

void State::undo_all(Container &container)
{
	while (!container.type1->mappings.empty())
		undo_mapping(container, container.type1->mappings.begin()->first);
}

} /* namespace model */

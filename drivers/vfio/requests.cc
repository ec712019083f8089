// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/requests.h"

#include <stddef.h>

#include <linux/vfio.h>

#include "arch/powerpc/glue/eeh.h"
#include "kernel/memory.h"

namespace tce {

namespace {

/* The C library's copy of the UAPI is the one that the kernel was built with. */
static_assert(sizeof(vfio_iommu_type1_dma_map) == KERNEL_SIZEOF_DMA_MAP);
static_assert(sizeof(vfio_iommu_type1_dma_unmap) == KERNEL_SIZEOF_DMA_UNMAP);
static_assert(sizeof(vfio_iommu_spapr_register_memory) == KERNEL_SIZEOF_REGISTER);
static_assert(sizeof(vfio_iommu_spapr_tce_create) == KERNEL_SIZEOF_CREATE);
static_assert(sizeof(vfio_iommu_spapr_tce_remove) == KERNEL_SIZEOF_REMOVE);
static_assert(sizeof(vfio_iommu_spapr_tce_info) == KERNEL_SIZEOF_INFO);
static_assert(sizeof(vfio_eeh_pe_op) == KERNEL_SIZEOF_EEH_PE_OP);
static_assert(sizeof(vfio_iommu_type1_info) == KERNEL_SIZEOF_TYPE1_INFO);

/* A structure's bytes up to and including a member. */
#define SIZE_THROUGH(data, member) (offsetof(decltype(data), member) + sizeof((data).member))

constexpr unsigned int no_flags = 0;

/* Reads the first @size bytes of @data, of which argsz must cover as many. */
template <typename T>
Result<void> read_argument(T &data, UserAddr argument, unsigned long size, unsigned int known_flags)
{
	if (glue_copy_from_user(&data, argument.value(), size))
		return Errno::Fault;
	if (data.argsz < size || data.flags & ~known_flags)
		return Errno::Invalid;
	return {};
}

Result<void> write_argument(UserAddr argument, const void *data, unsigned long size)
{
	if (glue_copy_to_user(argument.value(), data, size))
		return Errno::Fault;
	return {};
}

Result<Direction> direction_of(unsigned int flags)
{
	switch (flags) {
	case VFIO_DMA_MAP_FLAG_READ:
		return Direction::ToDevice;
	case VFIO_DMA_MAP_FLAG_WRITE:
		return Direction::FromDevice;
	case VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE:
		return Direction::Bidirectional;
	default:
		return Errno::Invalid;
	}
}

/* What GET_INFO tells of type 1, before the ranges themselves. */
struct Type1Info {
	vfio_iommu_type1_info info;
	alignas(8) vfio_iommu_type1_info_dma_avail available;
	alignas(8) vfio_iommu_type1_info_cap_iova_range ranges;
};

Result<void> write_ranges(UserAddr to, const IovaSpace &space)
{
	for (unsigned long i = 0; i < space.size(); ++i) {
		vfio_iova_range range = { .start = space[i].first.value(),
					  .end = space[i].last.value() };

		TRY(write_argument(to, &range, sizeof(range)));
		to += Bytes(sizeof(range));
	}
	return {};
}

/* The part of the argument behind what read_argument() has read into @data. */
Result<EehRequest::InjectedError> read_error(const vfio_eeh_pe_op &data, UserAddr argument)
{
	constexpr unsigned long offset = offsetof(vfio_eeh_pe_op, err);
	vfio_eeh_pe_err error = {};

	if (data.argsz < offset + sizeof(error))
		return Errno::Invalid;
	if (glue_copy_from_user(&error, argument.value() + offset, sizeof(error)))
		return Errno::Fault;
	/* PowerNV's code prints to the kernel log for other types. */
	if (error.type > GLUE_EEH_LAST_ERROR_TYPE || error.func > GLUE_EEH_LAST_ERROR_FUNCTION)
		return Errno::Invalid;
	return EehRequest::InjectedError{ .type = static_cast<int>(error.type),
					  .function = static_cast<int>(error.func),
					  .address = error.addr,
					  .mask = error.mask };
}

} /* namespace */

Result<void> MapRequest::decode(UserAddr argument)
{
	vfio_iommu_type1_dma_map data;

	TRY(read_argument(data, argument, SIZE_THROUGH(data, size),
			  VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE));

	user = UserAddr(data.vaddr);
	iova = Ioba(data.iova);
	size = Bytes(data.size);
	direction = TRY(direction_of(data.flags));
	TRY(user.checked_add(size));
	return {};
}

Result<void> UnmapRequest::decode(UserAddr argument)
{
	vfio_iommu_type1_dma_unmap data;

	TRY(read_argument(data, argument, SIZE_THROUGH(data, size), no_flags));
	iova = Ioba(data.iova);
	size = Bytes(data.size);
	return {};
}

Result<void> MemoryRequest::decode(UserAddr argument)
{
	vfio_iommu_spapr_register_memory data = {};

	TRY(read_argument(data, argument, SIZE_THROUGH(data, size), no_flags));
	range = TRY(UserRange::of_pages(UserAddr(data.vaddr), Bytes(data.size)));
	return {};
}

Result<void> CreateRequest::decode(UserAddr argument)
{
	vfio_iommu_spapr_tce_create data = {};

	TRY(read_argument(data, argument, SIZE_THROUGH(data, start_addr), no_flags));
	user_struct = argument;
	shape = { .page_shift = data.page_shift,
		  .size = Bytes(data.window_size),
		  .levels = data.levels };
	return {};
}

Result<void> CreateRequest::answer(Ioba start) const
{
	constexpr unsigned long offset = offsetof(vfio_iommu_spapr_tce_create, start_addr);
	__u64 start_addr = start.value();

	return write_argument(user_struct + Bytes(offset), &start_addr, sizeof(start_addr));
}

Result<void> RemoveRequest::decode(UserAddr argument)
{
	vfio_iommu_spapr_tce_remove data = {};

	TRY(read_argument(data, argument, SIZE_THROUGH(data, start_addr), no_flags));
	address = Ioba(data.start_addr);
	return {};
}

Result<void> InfoRequest::decode(UserAddr argument)
{
	vfio_iommu_spapr_tce_info data = {};

	/* The flags are an output here: whatever the user left in them is accepted. */
	TRY(read_argument(data, argument, SIZE_THROUGH(data, dma32_window_size), ~no_flags));
	user_struct = argument;
	wants_dynamic_windows = data.argsz >= SIZE_THROUGH(data, ddw);
	return {};
}

Result<void> InfoRequest::answer(const TableGroup &group, bool tells_of_windows) const
{
	vfio_iommu_spapr_tce_info data = {};

	data.dma32_window_start = static_cast<__u32>(group.default_window_start().value());
	data.dma32_window_size = static_cast<__u32>(group.default_window_size().value());
	if (tells_of_windows) {
		data.flags = group.has_dynamic_windows() ? VFIO_IOMMU_SPAPR_INFO_DDW : 0;
		data.ddw.pgsizes = group.page_sizes();
		data.ddw.max_dynamic_windows_supported = group.max_windows();
		data.ddw.levels = group.max_levels();
	}

	/* argsz stays as the user set it. */
	constexpr unsigned long begin = offsetof(vfio_iommu_spapr_tce_info, flags);
	unsigned long end = wants_dynamic_windows ? SIZE_THROUGH(data, ddw)
						  : SIZE_THROUGH(data, dma32_window_size);

	return write_argument(user_struct + Bytes(begin), reinterpret_cast<char *>(&data) + begin,
			      end - begin);
}

Result<void> Type1MapRequest::decode(UserAddr argument)
{
	vfio_iommu_type1_dma_map data;

	TRY(read_argument(data, argument, SIZE_THROUGH(data, size),
			  VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE));
	if (!data.size)
		return Errno::Invalid;
	range = TRY(IovaRange::of(Ioba(data.iova), Bytes(data.size)));
	/* What holds for the one holds for the other. */
	TRY(IovaRange::of(Ioba(data.vaddr), Bytes(data.size)));
	user = UserAddr(data.vaddr);
	direction = TRY(direction_of(data.flags));
	return {};
}

Result<void> Type1UnmapRequest::decode(UserAddr argument)
{
	vfio_iommu_type1_dma_unmap data;

	TRY(read_argument(data, argument, SIZE_THROUGH(data, size), VFIO_DMA_UNMAP_FLAG_ALL));
	user_struct = argument;
	all = data.flags & VFIO_DMA_UNMAP_FLAG_ALL;
	if (all) {
		range = every_iova;
		return data.iova || data.size ? Result<void>(Errno::Invalid) : Result<void>();
	}
	if (!data.size)
		return Errno::Invalid;
	range = TRY(IovaRange::of(Ioba(data.iova), Bytes(data.size)));
	return {};
}

Result<void> Type1UnmapRequest::answer(Bytes unmapped) const
{
	constexpr unsigned long offset = offsetof(vfio_iommu_type1_dma_unmap, size);
	__u64 size = unmapped.value();

	return write_argument(user_struct + Bytes(offset), &size, sizeof(size));
}

Result<void> Type1InfoRequest::decode(UserAddr argument)
{
	vfio_iommu_type1_info data = {};

	/* The flags are an output here. */
	TRY(read_argument(data, argument, SIZE_THROUGH(data, iova_pgsizes), ~no_flags));
	user_struct = argument;
	room = data.argsz;
	return {};
}

Result<void> Type1InfoRequest::answer(PageShift page, unsigned int available,
				      const IovaSpace &space) const
{
	const unsigned int needed = static_cast<unsigned int>(
		sizeof(Type1Info) + space.size() * sizeof(vfio_iova_range));
	const bool has_room = room >= needed;
	Type1Info data = {};

	data.info.argsz = has_room ? room : needed;
	data.info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	data.info.iova_pgsizes = page.size().value();
	data.info.cap_offset = has_room ? offsetof(Type1Info, available) : 0;
	data.available.header = { .id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
				  .version = 1,
				  .next = offsetof(Type1Info, ranges) };
	data.available.avail = available;
	data.ranges.header = { .id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
			       .version = 1,
			       .next = 0 };
	data.ranges.nr_iovas = static_cast<__u32>(space.size());

	if (!has_room)
		return write_argument(user_struct, &data.info,
				      room < sizeof(data.info) ? room : sizeof(data.info));
	TRY(write_argument(user_struct, &data, sizeof(data)));
	return write_ranges(user_struct + Bytes(sizeof(data)), space);
}

Result<void> EehRequest::decode(UserAddr argument)
{
	vfio_eeh_pe_op data = {};

	TRY(read_argument(data, argument, SIZE_THROUGH(data, op), no_flags));
	if (data.op > VFIO_EEH_PE_INJECT_ERR)
		return Errno::Invalid;

	operation = data.op;
	if (data.op == VFIO_EEH_PE_INJECT_ERR)
		error = TRY(read_error(data, argument));
	return {};
}

} /* namespace tce */

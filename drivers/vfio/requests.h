/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of an ioctl's argument, decoded and checked as far as that is possible without
 * looking at any state. All decode functions: -EFAULT for unreadable memory; -EINVAL for an argsz
 * below the structure of the first UAPI version, for unknown flags and for ranges that overflow.
 *
 * Source: include/uapi/linux/vfio.h.
 */
#pragma once

#include "arch/powerpc/tables/table_group.h"
#include "arch/powerpc/tce/tce_types.h"
#include "drivers/vfio/iova_space.h"
#include "drivers/vfio/memory_registry.h"

namespace tce {

/* The argument of an ioctl that has none, or ignores it. */
struct NoArgument {
	Result<void> decode(UserAddr) { return {}; }
};

/* VFIO_IOMMU_MAP_DMA */
struct MapRequest {
	UserAddr user;
	Ioba iova;
	Bytes size;
	Direction direction;

	Result<void> decode(UserAddr argument);
};

/* VFIO_IOMMU_UNMAP_DMA */
struct UnmapRequest {
	Ioba iova;
	Bytes size;

	Result<void> decode(UserAddr argument);
};

/* VFIO_IOMMU_SPAPR_REGISTER_MEMORY and VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY */
struct MemoryRequest {
	UserRange range;

	Result<void> decode(UserAddr argument);
};

/* VFIO_IOMMU_SPAPR_TCE_CREATE */
struct CreateRequest {
	UserAddr user_struct;
	WindowShape shape;

	Result<void> decode(UserAddr argument);
	/* Tells the user where the new window starts. -EFAULT. */
	Result<void> answer(Ioba start) const;
};

/* VFIO_IOMMU_SPAPR_TCE_REMOVE */
struct RemoveRequest {
	Ioba address;

	Result<void> decode(UserAddr argument);
};

/* VFIO_IOMMU_SPAPR_TCE_GET_INFO */
struct InfoRequest {
	UserAddr user_struct;
	/* The user's structure has room for the dynamic windows' properties. */
	bool wants_dynamic_windows;

	Result<void> decode(UserAddr argument);
	/*
	 * Tells the user what windows @group can have, with or without those that can be created.
	 * -EFAULT.
	 */
	Result<void> answer(const TableGroup &group, bool tells_of_windows) const;
};

/*
 * The requests of type 1. Structures and numbers are those from above, errnos and flags are type
 * 1's.
 *
 * Source: drivers/vfio/vfio_iommu_type1.c.
 */

/* VFIO_IOMMU_MAP_DMA */
struct Type1MapRequest {
	IovaRange range;
	UserAddr user;
	Direction direction;

	/* Also -EOVERFLOW: addresses that do not exist. */
	Result<void> decode(UserAddr argument);
};

/* VFIO_IOMMU_UNMAP_DMA */
struct Type1UnmapRequest {
	UserAddr user_struct;
	IovaRange range;
	/* Whatever is mapped: @range is all there is. */
	bool all;

	/* Also -EOVERFLOW. */
	Result<void> decode(UserAddr argument);
	/* Tells the user how much was unmapped. -EFAULT. */
	Result<void> answer(Bytes unmapped) const;
};

/* VFIO_IOMMU_GET_INFO */
struct Type1InfoRequest {
	UserAddr user_struct;
	/* The bytes that the user has room for. */
	unsigned int room;

	Result<void> decode(UserAddr argument);
	/*
	 * Tells the user the size of pages, for how many more mappings there is room and which
	 * addresses can be mapped; without the room for that, how much it takes. -EFAULT.
	 */
	Result<void> answer(PageShift page, unsigned int available, const IovaSpace &space) const;
};

/* VFIO_EEH_PE_OP */
struct EehRequest {
	/* What to inject; for VFIO_EEH_PE_INJECT_ERR only. */
	struct InjectedError {
		int type;
		int function;
		unsigned long address;
		unsigned long mask;
	};

	/* VFIO_EEH_PE_DISABLE to VFIO_EEH_PE_INJECT_ERR */
	unsigned int operation;
	InjectedError error;

	/* Also -EINVAL: no such operation, or no such error to inject. */
	Result<void> decode(UserAddr argument);
};

} /* namespace tce */

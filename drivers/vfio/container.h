/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container: what one open VFIO container with an IOMMU of type VFIO_SPAPR_TCE_IOMMU (v1),
 * VFIO_SPAPR_TCE_v2_IOMMU or VFIO_TYPE1(v2)_IOMMU holds: the groups attached to it, the DMA windows
 * that all of these groups share, and the memory that was registered for mapping.
 *
 * The types differ in where the memory of MAP_DMA comes from. A v2 container maps what was
 * registered in it. A v1 container pins what it maps, page by page, and is charged for all that its
 * one window can hold as long as it is enabled; it has one group and the default window only. A
 * container of type 1 pins what it maps and is charged for that; its windows are the driver's
 * choice (container_type1.cc).
 *
 * Locking: one mutex, of Locked<Container> in shared_container.h, covers everything here. All
 * functions run under it, in process context, and may sleep.
 *
 * The container belongs to the process (the address space) that first registered memory, created
 * or removed a window or enabled the container; every ioctl of another one is -EPERM from then on.
 * One of type 1 is everybody's who has the file: a mapping has the memory of who makes it.
 *
 * The default window is *pending* from the first attach on: it is created by the first request
 * that needs it, so that a user who removes it right away never pays for it. So are the windows of
 * type 1.
 *
 * Source of the errnos: include/uapi/linux/vfio.h and Documentation/uapi.rst.
 */
#pragma once

#include "arch/powerpc/tables/ownership.h"
#include "arch/powerpc/tables/table_group.h"
#include "drivers/vfio/address_space.h"
#include "drivers/vfio/dma_mappings.h"
#include "drivers/vfio/eeh.h"
#include "drivers/vfio/iova_space.h"
#include "drivers/vfio/locked_memory.h"
#include "drivers/vfio/memory_registry.h"
#include "drivers/vfio/requests.h"
#include "drivers/vfio/report.h"
#include "drivers/vfio/window.h"
#include "kcxx/list.h"
#include "kcxx/owned.h"
#include "kernel/group_id.h"
#include "kernel/mm.h"

namespace tce {

enum class ContainerType { V1, V2, Type1, Type1v2 };

constexpr bool is_type1(ContainerType type)
{
	return type >= ContainerType::Type1;
}

class Container {
public:
	/* @number: see SharedContainer. */
	Container(ContainerType type, unsigned int number);

	/*
	 * Adds a group and makes all windows its own. -ENODEV: no TCE tables; -EINVAL: no windows,
	 * or in type 1 a mapping is where the group has none; -EBUSY: attached already, or a second
	 * one in v1, or its window is in use; -EPERM: cannot share tables with the others; -ENOMEM,
	 * -EIO: a window could not be set, and the group has none now.
	 */
	Result<void> attach(iommu_group *group);

	/*
	 * Takes a group's windows away. They stay with their mappings for the other groups; with
	 * the last group they go.
	 */
	void detach(iommu_group *group);

	/* -ENXIO in a container without groups; -EFAULT. */
	Result<void> get_info(const InfoRequest &request);

	/*
	 * v1: allows mapping, and charges the default window's size. -EBUSY: is enabled; -EPERM:
	 * there is no default window; -ENXIO without a group; -ENOMEM beyond the limit.
	 */
	Result<void> enable(const NoArgument &);
	/* v1: forbids mapping, unmaps all and gives the charge back. */
	Result<void> disable(const NoArgument &);

	/* v2. -EBUSY, -EINVAL, -ENOMEM, -EFAULT: see MemoryRegistry. */
	Result<void> register_memory(const MemoryRequest &request);
	/* v2. -EPERM before the first registration or window; -ENOENT, -EBUSY: see MemoryRegistry.
	 */
	Result<void> unregister_memory(const MemoryRequest &request);

	/*
	 * -EPERM: not enabled, in v2 before the first registration; -ENXIO: no such window;
	 * -EINVAL, -ENOMEM; in v1 -EFAULT: see PinnedPages.
	 */
	Result<void> map(const MapRequest &request);
	Result<void> unmap(const UnmapRequest &request);

	/* v2. -ENXIO without groups; -ENOSPC: all slots taken; -EINVAL, -ENOMEM, -EIO; -EFAULT. */
	Result<void> create_window(const CreateRequest &request);
	/* v2. -ENXIO without groups; -EINVAL: the address is in no window. */
	Result<void> remove_window(const RemoveRequest &request);

	/* Type 1. -ENXIO without groups; errors of create_window(); -EFAULT. */
	Result<void> get_type1_info(const Type1InfoRequest &request);
	/*
	 * Type 1. -EINVAL: no whole pages, or no addresses that can be mapped; -EEXIST: there is a
	 * mapping; -ENOSPC: there are as many as there can be; -ENOMEM, also beyond the limit of
	 * locked memory; -EFAULT: memory that cannot be pinned; -EIO; -ENXIO without groups.
	 */
	Result<void> map_type1(const Type1MapRequest &request);
	/*
	 * Type 1: undoes all mappings in a range. -EINVAL: no whole pages, or in v2 a part of a
	 * mapping; -EIO: see Mapper; -EFAULT: the user cannot be told how much it was.
	 */
	Result<void> unmap_type1(const Type1UnmapRequest &request);

	/*
	 * Puts references on all groups into @groups, in the order in which they were attached, for
	 * work that is done without the lock. -ENODEV without groups; -ENOMEM.
	 */
	Result<void> hold_groups(HeldGroups &groups) const;

	/*
	 * Before anything else that a user asks for. -EPERM if the caller is not the process that
	 * the container belongs to; -ENODEV if it was closed while the call was on its way.
	 */
	Result<void> check_caller() const
	{
		if (m_closed) [[unlikely]]
			return late_call();
		if (m_owner && m_owner.get() != glue_current_mm()) [[unlikely]]
			return Errno::NotPermitted;
		return {};
	}

	/*
	 * Writes all of it down but the orphans, and returns whose these would be. Takes time by
	 * what is mapped.
	 */
	AddressSpace report(seq_file *out) const;

	/*
	 * Gives the windows back, after the last group has left, and takes the registered memory
	 * out, for the caller to give back without the lock.
	 */
	struct Remains {
		MemoryRegistry memory;
		AddressSpace owner;
	};
	Remains close();

private:
	struct Attachment : kcxx::ListLinks<Attachment> {
		Attachment(iommu_group *group, const glue_group_id &id, const TableGroup &tables,
			   Ownership ownership)
			: group(group), id(id), tables(tables), ownership(kcxx::move(ownership))
		{
		}

		iommu_group *group;
		glue_group_id id;
		TableGroup tables;
		Ownership ownership;
	};
	using Slot = kcxx::Owned<Window>;

	Result<void> add_group(iommu_group *group, const glue_group_id &id);
	Result<void> add_memory(UserRange range);
	Result<void> claim_by_caller();
	/* Any group: all of them have the same windows. -ENXIO without groups. */
	Result<const TableGroup *> any_group() const;
	Attachment *find(iommu_group *group) const;
	Result<void> set_all_windows(const TableGroup &group) const;
	void unset_window_everywhere(unsigned int num);
	/* -ENOSPC: there are as many windows as @group can have. */
	Result<unsigned int> free_slot(const TableGroup &group) const;
	/* -ENXIO: the address is in no window. */
	Result<const Slot *> find_window(Ioba address) const
	{
		for (const Slot &window : m_windows) {
			if (window && window->table().geometry().contains(address))
				return &window;
		}
		return Errno::NoDeviceAddress;
	}
	Result<const Window *> find_window_for_dma(Ioba address);
	Result<unsigned int> add_window(const TableGroup &group, const WindowShape &shape);
	Result<unsigned int> make_window(const TableGroup &group, const WindowShape &shape);
	Result<void> create_pending_default_window()
	{
		return m_default_window_pending ? create_default_window() : Result<void>();
	}
	[[gnu::noinline]] Result<void> create_default_window();
	/* Of type 1. */
	Result<void> create_type1_windows();
	Result<void> add_type1_windows(const TableGroup &group);
	Result<void> find_space(IovaSpace &space, const TableGroup *joining) const;
	Result<void> admit_to_type1(const TableGroup &group, IovaSpace &space) const;
	void find_space_that_is_left();
	Result<void> add_mapping(const Type1MapRequest &request);
	Result<void> undo(DmaMapping &mapping);
	void undo_all();
	bool cuts_mapping(const IovaRange &range) const;
	PageShift type1_page() const;
	void retire(const Window &window);
	void drop_window(unsigned int num);
	/* After the groups have left it. */
	void forget_window(Slot &window) const;
	/* Of v1. Apart, so that a map of v2 does not pay for what it has on the stack. */
	[[gnu::noinline]] Result<void> map_pinned(const Window &window, EntryRange range,
						  const MapRequest &request);

	const ContainerType m_type;
	const unsigned int m_number;
	kcxx::List<Attachment> m_groups;
	Slot m_windows[max_tables];
	MemoryRegistry m_memory;
	AddressSpace m_owner;
	int m_owner_pid = 0;
	/* v1: for what the default window can hold, while the container is enabled. */
	LockedMemory m_window_charge;
	PinnedCensus m_pinned;
	Gathered m_gathered;
	/* Type 1. */
	DmaMappings m_mappings;
	IovaSpace m_space;
	bool m_default_window_pending = false;
	/* Mapping is allowed: in v2 since memory was first registered. */
	bool m_enabled = false;
	bool m_closed = false;
};

} /* namespace tce */

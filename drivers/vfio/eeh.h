/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EEH: what a user does to recover from an error that has frozen the PE of a group.
 *
 * No lock of ours may be held: a reset waits for the locks of the PE's devices. Who unbinds the
 * last device of a group holds its lock and has the VFIO core take the group out of its
 * container, which waits for the container's lock.
 */
#pragma once

#include "arch/powerpc/glue/iommu.h"
#include "drivers/vfio/requests.h"
#include "kcxx/ref.h"
#include "kcxx/vector.h"

template <> struct kcxx::RefTraits<iommu_group> {
	static void get(iommu_group *group) { iommu_group_ref_get(group); }
	static void put(iommu_group *group) { iommu_group_put(group); }
};

namespace tce {

/* Groups that stay in existence while they are listed, attached or not. */
using HeldGroups = kcxx::Vector<kcxx::Ref<iommu_group>>;

/*
 * Does what was asked for to one group after the other. The first that answers with anything but
 * 0, an error or the state of a PE that is not in order, is the last, and this is the result.
 * -ENODEV: the group has no PE. Others are the kernel's. May sleep for seconds.
 *
 * Source: arch/powerpc/kernel/eeh.c; the states: include/uapi/linux/vfio.h.
 */
Result<int> perform_eeh(const EehRequest &request, const HeldGroups &groups);

} /* namespace tce */

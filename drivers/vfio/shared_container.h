/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SharedContainer: a container with its lock and its place in the table of handles: the numbers,
 * not addresses, by which the VFIO core knows containers.
 *
 * The core calls the ioctl without any lock, and so can still be on its way to a container that
 * another thread releases by taking the last group out of it. A number that is no longer in use
 * is recognized; a container that is found is kept in memory until the ioctl is done with it.
 */
#pragma once

#include "drivers/vfio/container.h"
#include "drivers/vfio/handle_table.h"
#include "drivers/vfio/debugfs.h"
#include "kcxx/locked.h"
#include "kcxx/ref.h"

namespace tce {

class SharedContainer {
public:
	/* A new container's handle, which release() ends. -ENOMEM. */
	static Result<unsigned long> open(ContainerType type);
	static void release(unsigned long handle);

	/* A reference for the time of one call. -ENODEV: there is no such container any more. */
	static Result<kcxx::Ref<SharedContainer>> find(unsigned long handle)
	{
		HandleSlot *slot = HandleTable::find(handle);

		if (!slot) [[unlikely]]
			return late_call();
		return kcxx::Ref<SharedContainer>::adopt(slot->container);
	}

	/* For RefTraits only. */
	void put()
	{
		if (m_slot.references.put()) [[unlikely]]
			destroy();
	}

	ContainerType type() const { return m_type; }
	/* By which people know it: of its directory in debugfs, and in events. */
	unsigned int number() const { return m_slot.number; }
	kcxx::Locked<Container> &state() { return m_state; }

	SharedContainer(ContainerType type, HandleSlot &slot);

private:
	[[gnu::noinline]] void destroy();

	/* The references are there: one of the handle, one of each call in progress. */
	HandleSlot &m_slot;
	const ContainerType m_type;
	kcxx::Locked<Container> m_state;
	dentry *m_directory = nullptr;
};

} /* namespace tce */

template <> struct kcxx::RefTraits<tce::SharedContainer> {
	static void put(tce::SharedContainer *container) { container->put(); }
};

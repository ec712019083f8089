// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/shared_container.h"

#include "kcxx/owned.h"
#include "kcxx/scope_exit.h"
#include "kernel/objects.h"

namespace tce {

SharedContainer::SharedContainer(ContainerType type, HandleSlot &slot)
	: m_slot(slot), m_type(type), m_state(type, slot.number)
{
	m_state.init(GLUE_MUTEX_CONTAINER);
}

Result<unsigned long> SharedContainer::open(ContainerType type)
{
	HandleSlot &slot = *TRY(HandleTable::take());
	kcxx::ScopeExit rollback([&] { HandleTable::give_back(slot); });

	slot.container = TRY(kcxx::make_owned<SharedContainer>(type, slot)).release();
	rollback.dismiss();
	slot.container->m_directory = glue_debugfs_add(slot.number, slot.container);
	glue_objects_add();
	return HandleTable::start(slot);
}

void SharedContainer::release(unsigned long handle)
{
	Result<kcxx::Ref<SharedContainer>> found = find(handle);

	if (found.is_error())
		return;

	SharedContainer &container = *found.value().get();

	container.m_slot.references.retire();
	/* Waits for who reads it, so not under the lock. */
	glue_debugfs_remove(container.m_directory);

	Container::Remains remains =
		container.m_state.with([](Container &state) { return state.close(); });

	if (remains.owner)
		remains.memory.close(remains.owner);
	container.put();
}

/* The last reference is gone. */
void SharedContainer::destroy()
{
	HandleSlot &slot = m_slot;

	kcxx::Owned<SharedContainer>(this) = {};
	HandleTable::give_back(slot);
	/* Nothing after this may sleep: the module can be unloaded from here on. */
	glue_objects_drop();
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/shared_container.h"

namespace tce {

SharedContainer::SharedContainer(ContainerType type) : m_type(type), m_state(type)
{
	glue_refcount_init(&m_references);
	m_state.init(GLUE_MUTEX_CONTAINER);
}

Result<unsigned long> SharedContainer::open(ContainerType type)
{
	kcxx::Owned<SharedContainer> container = TRY(kcxx::make_owned<SharedContainer>(type));
	unsigned long handle;

	TRY(Result<void>::from_kernel(glue_handle_insert(container.get(), &handle)));
	container.release();
	glue_objects_add();
	return handle;
}

void SharedContainer::release(unsigned long handle)
{
	Result<kcxx::Ref<SharedContainer>> container = find(handle);

	if (container.is_error())
		return;
	glue_handle_remove(handle);

	Container::Remains remains =
		container.value()->state().with([](Container &state) { return state.close(); });

	if (remains.owner)
		remains.memory.close(remains.owner);
	container.value()->put();
}

Result<kcxx::Ref<SharedContainer>> SharedContainer::find(unsigned long handle)
{
	glue_rcu_read_lock();

	SharedContainer *container = static_cast<SharedContainer *>(glue_handle_load(handle));
	bool found = container && glue_refcount_get_unless_zero(&container->m_references);

	glue_rcu_read_unlock();
	if (!found)
		return Errno::NoDevice;
	return kcxx::Ref<SharedContainer>::adopt(container);
}

void SharedContainer::put()
{
	if (!glue_refcount_put(&m_references))
		return;

	/* A find() may be looking at the counter still. */
	this->~SharedContainer();
	glue_free_after_readers(this);
	/* Nothing that can sleep may come after this: the module can be unloaded then. */
	glue_objects_drop();
}

} /* namespace tce */

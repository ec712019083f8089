// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the VFIO core's calls arrive: an ioctl is decoded, the container does what it asks for,
 * and a Result becomes an errno.
 */
#include <linux/vfio.h>

#include "arch/powerpc/platforms/platforms.h"
#include "drivers/vfio/requests.h"
#include "drivers/vfio/shared_container.h"
#include "glue/handles.h"
#include "glue/vfio.h"

namespace tce {

namespace {

/* Decodes the argument and does what it asks for, on behalf of the container's process only. */
template <typename Request>
Result<void> serve(unsigned long handle, UserAddr argument,
		   Result<void> (Container::*perform)(const Request &))
{
	Request request = TRY(Request::decode(argument));
	kcxx::Ref<SharedContainer> container = TRY(SharedContainer::find(handle));

	return container->state().with([&](Container &state) -> Result<void> {
		TRY(state.check_caller());
		return (state.*perform)(request);
	});
}

Result<void> dispatch(unsigned long handle, unsigned int cmd, UserAddr argument)
{
	switch (cmd) {
	case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
		return serve(handle, argument, &Container::get_info);
	case VFIO_IOMMU_SPAPR_REGISTER_MEMORY:
		return serve(handle, argument, &Container::register_memory);
	case VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY:
		return serve(handle, argument, &Container::unregister_memory);
	case VFIO_IOMMU_MAP_DMA:
		return serve(handle, argument, &Container::map);
	case VFIO_IOMMU_UNMAP_DMA:
		return serve(handle, argument, &Container::unmap);
	case VFIO_IOMMU_SPAPR_TCE_CREATE:
		return serve(handle, argument, &Container::create_window);
	case VFIO_IOMMU_SPAPR_TCE_REMOVE:
		return serve(handle, argument, &Container::remove_window);
	default:
		return Errno::NotTty;
	}
}

Result<void> attach_group(unsigned long handle, iommu_group *group)
{
	kcxx::Ref<SharedContainer> container = TRY(SharedContainer::find(handle));

	return container->state().with([group](Container &state) { return state.attach(group); });
}

} /* namespace */

} /* namespace tce */

using kcxx::Errno;
using kcxx::Result;
using tce::Container;
using tce::SharedContainer;

extern "C" void tce_module_init(bool kernel_tables_only)
{
	tce::init_orphan_regions();
	tce::choose_platform(kernel_tables_only);
}

extern "C" void tce_module_exit()
{
	glue_objects_wait();
	tce::release_platform();
}

extern "C" long tce_container_open(unsigned long type, unsigned long *handle)
{
	if (type != VFIO_SPAPR_TCE_v2_IOMMU)
		return kcxx::Error(Errno::Invalid).as_kernel();

	Result<unsigned long> container = SharedContainer::open();

	if (container.is_error())
		return container.error().as_kernel();
	*handle = container.value();
	return 0;
}

extern "C" void tce_container_release(unsigned long handle)
{
	SharedContainer::release(handle);
}

extern "C" long tce_container_ioctl(unsigned long handle, unsigned int cmd, unsigned long arg)
{
	/* The VFIO core asks this also before there is a container. */
	if (cmd == VFIO_CHECK_EXTENSION)
		return arg == VFIO_SPAPR_TCE_v2_IOMMU;
	return kcxx::to_errno(tce::dispatch(handle, cmd, tce::UserAddr(arg)));
}

extern "C" long tce_container_attach_group(unsigned long handle, iommu_group *group)
{
	return kcxx::to_errno(tce::attach_group(handle, group));
}

extern "C" void tce_container_detach_group(unsigned long handle, iommu_group *group)
{
	Result<kcxx::Ref<SharedContainer>> container = SharedContainer::find(handle);

	if (container.is_error())
		return;
	container.value()->state().with([group](Container &state) { state.detach(group); });
}

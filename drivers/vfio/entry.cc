// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the VFIO core's calls arrive: an ioctl is decoded, the container does what it asks for,
 * and a Result becomes an errno.
 */
#include <linux/vfio.h>

#include "arch/powerpc/platforms/platforms.h"
#include "drivers/vfio/eeh.h"
#include "drivers/vfio/requests.h"
#include "drivers/vfio/shared_container.h"
#include "glue/eeh.h"
#include "glue/handles.h"
#include "glue/vfio.h"

namespace tce {

namespace {

bool supports(unsigned long iommu_type)
{
	return iommu_type == VFIO_SPAPR_TCE_IOMMU || iommu_type == VFIO_SPAPR_TCE_v2_IOMMU;
}

/* Decodes the argument and does what it asks for, on behalf of the container's process only. */
template <typename Request>
Result<void> serve(SharedContainer &container, UserAddr argument,
		   Result<void> (Container::*perform)(const Request &))
{
	Request request = TRY(Request::decode(argument));

	return container.state().with([&](Container &state) -> Result<void> {
		TRY(state.check_caller());
		return (state.*perform)(request);
	});
}

Result<void> dispatch_v1(SharedContainer &container, unsigned int cmd, UserAddr argument)
{
	switch (cmd) {
	case VFIO_IOMMU_ENABLE:
		return serve(container, argument, &Container::enable);
	case VFIO_IOMMU_DISABLE:
		return serve(container, argument, &Container::disable);
	default:
		return Errno::NotTty;
	}
}

Result<void> dispatch_v2(SharedContainer &container, unsigned int cmd, UserAddr argument)
{
	switch (cmd) {
	case VFIO_IOMMU_SPAPR_REGISTER_MEMORY:
		return serve(container, argument, &Container::register_memory);
	case VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY:
		return serve(container, argument, &Container::unregister_memory);
	case VFIO_IOMMU_SPAPR_TCE_CREATE:
		return serve(container, argument, &Container::create_window);
	case VFIO_IOMMU_SPAPR_TCE_REMOVE:
		return serve(container, argument, &Container::remove_window);
	default:
		return Errno::NotTty;
	}
}

Result<void> dispatch(unsigned long handle, unsigned int cmd, UserAddr argument)
{
	kcxx::Ref<SharedContainer> found = TRY(SharedContainer::find(handle));
	SharedContainer &container = *found.get();

	switch (cmd) {
	case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
		return serve(container, argument, &Container::get_info);
	case VFIO_IOMMU_MAP_DMA:
		return serve(container, argument, &Container::map);
	case VFIO_IOMMU_UNMAP_DMA:
		return serve(container, argument, &Container::unmap);
	default:
		return container.type() == ContainerType::V1
			       ? dispatch_v1(container, cmd, argument)
			       : dispatch_v2(container, cmd, argument);
	}
}

/*
 * The groups are looked up under the lock; the operation itself must not be: see eeh.h. The
 * container comes first here as well: its reference keeps the module loaded while decoding waits
 * for a page of the user's.
 */
Result<int> serve_eeh(unsigned long handle, UserAddr argument)
{
	kcxx::Ref<SharedContainer> container = TRY(SharedContainer::find(handle));
	EehRequest request = TRY(EehRequest::decode(argument));
	HeldGroups groups;

	TRY(container->state().with([&](Container &state) -> Result<void> {
		TRY(state.check_caller());
		return state.hold_groups(groups);
	}));
	return perform_eeh(request, groups);
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
using tce::ContainerType;
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
	if (!tce::supports(type))
		return kcxx::Error(Errno::Invalid).as_kernel();

	Result<unsigned long> container = SharedContainer::open(
		type == VFIO_SPAPR_TCE_IOMMU ? ContainerType::V1 : ContainerType::V2);

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
		return tce::supports(arg) || (arg == VFIO_EEH && glue_eeh_enabled());
	if (cmd == VFIO_EEH_PE_OP)
		return kcxx::to_errno(tce::serve_eeh(handle, tce::UserAddr(arg)));
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the VFIO core's calls arrive: an ioctl is decoded, the container does what it asks for,
 * and a Result becomes an errno.
 */
#include <linux/vfio.h>

#include "arch/powerpc/glue/eeh.h"
#include "arch/powerpc/tce/traced.h"
#include "arch/powerpc/platforms/platforms.h"
#include "drivers/vfio/eeh.h"
#include "drivers/vfio/entry.h"
#include "drivers/vfio/parameters.h"
#include "drivers/vfio/request_events.h"
#include "drivers/vfio/requests.h"
#include "drivers/vfio/shared_container.h"
#include "drivers/vfio/debugfs.h"
#include "kernel/objects.h"

namespace tce {

namespace {

unsigned long number_of(void *handle)
{
	return reinterpret_cast<unsigned long>(handle);
}

bool type1_is_on()
{
	return __atomic_load_n(&tce_type1, __ATOMIC_RELAXED);
}

/* -EINVAL: there is no such type, or it is not switched on. */
Result<ContainerType> container_type(unsigned long iommu_type)
{
	switch (iommu_type) {
	case VFIO_SPAPR_TCE_IOMMU:
		return ContainerType::V1;
	case VFIO_SPAPR_TCE_v2_IOMMU:
		return ContainerType::V2;
	case VFIO_TYPE1_IOMMU:
		return type1_is_on() ? Result(ContainerType::Type1) : Errno::Invalid;
	case VFIO_TYPE1v2_IOMMU:
		return type1_is_on() ? Result(ContainerType::Type1v2) : Errno::Invalid;
	default:
		return Errno::Invalid;
	}
}

bool is_of_type1(unsigned long handle)
{
	Result<kcxx::Ref<SharedContainer>> found = SharedContainer::find(handle);

	return !found.is_error() && is_type1(found.value()->type());
}

/* The VFIO core asks this also before there is a container: @handle is 0 then. */
bool has_extension(unsigned long handle, unsigned long extension)
{
	switch (extension) {
	case VFIO_SPAPR_TCE_IOMMU:
	case VFIO_SPAPR_TCE_v2_IOMMU:
		return true;
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return type1_is_on() || (handle && is_of_type1(handle));
	case VFIO_EEH:
		return glue_eeh_enabled() && !(handle && is_of_type1(handle));
	default:
		return false;
	}
}

/* Does what is asked for on behalf of the container's process only. */
template <typename Request>
Result<void> perform_for_owner(SharedContainer &container, const Request &request,
			       Result<void> (Container::*perform)(const Request &))
{
	return container.state().with([&](Container &state) -> Result<void> {
		TRY(state.check_caller());
		return (state.*perform)(request);
	});
}

/* Decodes the argument and does what it asks for. */
template <typename Request>
Result<void> serve(SharedContainer &container, UserAddr argument,
		   Result<void> (Container::*perform)(const Request &))
{
	Request request{};

	TRY(request.decode(argument));
	return perform_for_owner(container, request, perform);
}

/*
 * The same for who traces, and for the calls that are not made all the time. Apart, because a call
 * that is not traced need not keep its request.
 */
template <typename Request>
[[gnu::noinline]] Result<void> serve_and_tell(SharedContainer &container, UserAddr argument,
					      Result<void> (Container::*perform)(const Request &))
{
	Request request{};

	TRY(request.decode(argument));

	Result<void> result = perform_for_owner(container, request, perform);

	tell(container.number(), request, result);
	return result;
}

/*
 * The two calls that are made all the time, often for a page: each is one function with all that it
 * goes through, but for what is marked as the exception (noinline).
 */
[[gnu::flatten, gnu::noinline]] Result<void> serve_map(SharedContainer &container,
						       UserAddr argument)
{
	if (is_traced()) [[unlikely]]
		return serve_and_tell(container, argument, &Container::map);
	return serve(container, argument, &Container::map);
}

[[gnu::flatten, gnu::noinline]] Result<void> serve_unmap(SharedContainer &container,
							 UserAddr argument)
{
	if (is_traced()) [[unlikely]]
		return serve_and_tell(container, argument, &Container::unmap);
	return serve(container, argument, &Container::unmap);
}

template <typename Request>
[[gnu::noinline]] Result<void> serve_rare(SharedContainer &container, UserAddr argument,
					  Result<void> (Container::*perform)(const Request &))
{
	return serve(container, argument, perform);
}

Result<void> dispatch_v1(SharedContainer &container, unsigned int cmd, UserAddr argument)
{
	switch (cmd) {
	case VFIO_IOMMU_ENABLE:
		return serve_rare(container, argument, &Container::enable);
	case VFIO_IOMMU_DISABLE:
		return serve_rare(container, argument, &Container::disable);
	default:
		return Errno::NotTty;
	}
}

Result<void> dispatch_v2(SharedContainer &container, unsigned int cmd, UserAddr argument)
{
	switch (cmd) {
	case VFIO_IOMMU_SPAPR_REGISTER_MEMORY:
		return serve_rare(container, argument, &Container::register_memory);
	case VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY:
		return serve_rare(container, argument, &Container::unregister_memory);
	case VFIO_IOMMU_SPAPR_TCE_CREATE:
		return serve_rare(container, argument, &Container::create_window);
	case VFIO_IOMMU_SPAPR_TCE_REMOVE:
		return serve_rare(container, argument, &Container::remove_window);
	default:
		return Errno::NotTty;
	}
}

[[gnu::noinline]] Result<void> dispatch_type1(SharedContainer &container, unsigned int cmd,
					      UserAddr argument)
{
	switch (cmd) {
	case VFIO_IOMMU_GET_INFO:
		return serve_rare(container, argument, &Container::get_type1_info);
	case VFIO_IOMMU_MAP_DMA:
		return serve_and_tell(container, argument, &Container::map_type1);
	case VFIO_IOMMU_UNMAP_DMA:
		return serve_and_tell(container, argument, &Container::unmap_type1);
	default:
		return Errno::NotTty;
	}
}

/*
 * The groups are looked up under the lock; the operation itself must not be: see eeh.h. The
 * container is found first here as well: its reference keeps the module loaded while decoding waits
 * for a page of the user's.
 */
[[gnu::noinline]] Result<int> serve_eeh(SharedContainer &container, UserAddr argument)
{
	EehRequest request{};
	HeldGroups groups;

	TRY(request.decode(argument));
	TRY(container.state().with([&](Container &state) -> Result<void> {
		TRY(state.check_caller());
		return state.hold_groups(groups);
	}));
	return perform_eeh(request, groups);
}

[[gnu::noinline]] long dispatch_rare(SharedContainer &container, unsigned int cmd,
				     UserAddr argument)
{
	switch (cmd) {
	case VFIO_EEH_PE_OP:
		return kcxx::to_errno(serve_eeh(container, argument));
	case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
		return kcxx::to_errno(serve_rare(container, argument, &Container::get_info));
	default:
		return kcxx::to_errno(container.type() == ContainerType::V1
					      ? dispatch_v1(container, cmd, argument)
					      : dispatch_v2(container, cmd, argument));
	}
}

long dispatch(unsigned long handle, unsigned int cmd, UserAddr argument)
{
	Result<kcxx::Ref<SharedContainer>> found = SharedContainer::find(handle);

	if (found.is_error())
		return found.error().as_kernel();

	SharedContainer &container = *found.value().get();

	if (is_type1(container.type())) [[unlikely]]
		return kcxx::to_errno(dispatch_type1(container, cmd, argument));
	switch (cmd) {
	case VFIO_IOMMU_MAP_DMA:
		return kcxx::to_errno(serve_map(container, argument));
	case VFIO_IOMMU_UNMAP_DMA:
		return kcxx::to_errno(serve_unmap(container, argument));
	default:
		return dispatch_rare(container, cmd, argument);
	}
}

Result<void> open_container(unsigned long iommu_type, void **handle)
{
	*handle = reinterpret_cast<void *>(
		TRY(SharedContainer::open(TRY(container_type(iommu_type)))));
	return {};
}

Result<void> attach_group(unsigned long handle, iommu_group *group)
{
	kcxx::Ref<SharedContainer> container = TRY(SharedContainer::find(handle));

	return container->state().with([group](Container &state) { return state.attach(group); });
}

} /* namespace */

} /* namespace tce */

using kcxx::Result;
using tce::Container;
using tce::SharedContainer;

extern "C" void tce_module_init(bool kernel_tables_only)
{
	tce::HandleTable::init();
	tce::init_orphan_regions();
	tce::choose_platform(kernel_tables_only);
	glue_debugfs_start();
}

extern "C" void tce_module_exit()
{
	glue_objects_wait();
	glue_debugfs_stop();
	tce::HandleTable::free_all();
	tce::release_platform();
}

extern "C" long tce_container_open(unsigned long type, void **handle)
{
	return kcxx::to_errno(tce::open_container(type, handle));
}

extern "C" void tce_container_release(void *handle)
{
	SharedContainer::release(tce::number_of(handle));
}

extern "C" long tce_container_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	if (cmd == VFIO_CHECK_EXTENSION)
		return tce::has_extension(tce::number_of(handle), arg);
	return tce::dispatch(tce::number_of(handle), cmd, tce::UserAddr(arg));
}

extern "C" long tce_container_attach_group(void *handle, iommu_group *group)
{
	return kcxx::to_errno(tce::attach_group(tce::number_of(handle), group));
}

extern "C" void tce_container_detach_group(void *handle, iommu_group *group)
{
	Result<kcxx::Ref<SharedContainer>> container =
		SharedContainer::find(tce::number_of(handle));

	if (container.is_error())
		return;
	container.value()->state().with([group](Container &state) { state.detach(group); });
}

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

bool supports(unsigned long iommu_type)
{
	return iommu_type == VFIO_SPAPR_TCE_IOMMU || iommu_type == VFIO_SPAPR_TCE_v2_IOMMU;
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

/* The same for who traces. Apart, because a call that is not traced need not keep its request. */
template <typename Request>
[[gnu::noinline, gnu::cold]] Result<void> serve_and_tell(
	SharedContainer &container, UserAddr argument,
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

	switch (cmd) {
	case VFIO_IOMMU_MAP_DMA:
		return kcxx::to_errno(serve_map(container, argument));
	case VFIO_IOMMU_UNMAP_DMA:
		return kcxx::to_errno(serve_unmap(container, argument));
	default:
		return dispatch_rare(container, cmd, argument);
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
using tce::ContainerType;
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
	if (!tce::supports(type))
		return kcxx::Error(Errno::Invalid).as_kernel();

	Result<unsigned long> container = SharedContainer::open(
		type == VFIO_SPAPR_TCE_IOMMU ? ContainerType::V1 : ContainerType::V2);

	if (container.is_error())
		return container.error().as_kernel();
	*handle = reinterpret_cast<void *>(container.value());
	return 0;
}

extern "C" void tce_container_release(void *handle)
{
	SharedContainer::release(tce::number_of(handle));
}

extern "C" long tce_container_ioctl(void *handle, unsigned int cmd, unsigned long arg)
{
	/* The VFIO core asks this also before there is a container. */
	if (cmd == VFIO_CHECK_EXTENSION)
		return tce::supports(arg) || (arg == VFIO_EEH && glue_eeh_enabled());
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

// SPDX-License-Identifier: GPL-2.0-only
/* EEH_PE_OP. */
#include "selftests/model/model.h"

#include <cerrno>
#include <cstring>

#include <linux/vfio.h>

#include "selftests/model/arguments.h"

namespace model {

namespace {

/* Of the kernel's <asm/eeh.h>, which is of powerpc only. */
constexpr unsigned int last_error_type = 1;
constexpr unsigned int last_error_function = 19;

} /* namespace */

static long perform(Group &group, unsigned int operation)
{
	switch (operation) {
	case VFIO_EEH_PE_GET_STATE:
		if (group.is_in_reset)
			return VFIO_EEH_PE_STATE_RESET;
		if (group.mmio_is_frozen)
			return group.dma_is_frozen ? VFIO_EEH_PE_STATE_STOPPED
						   : VFIO_EEH_PE_STATE_UNAVAIL;
		return group.dma_is_frozen ? VFIO_EEH_PE_STATE_STOPPED_DMA
					   : VFIO_EEH_PE_STATE_NORMAL;
	case VFIO_EEH_PE_UNFREEZE_IO:
		group.mmio_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_UNFREEZE_DMA:
		group.dma_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_ENABLE:
		group.mmio_is_frozen = group.dma_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_RESET_DEACTIVATE:
		group.is_in_reset = group.mmio_is_frozen = group.dma_is_frozen = false;
		return 0;
	case VFIO_EEH_PE_RESET_HOT:
	case VFIO_EEH_PE_RESET_FUNDAMENTAL:
		group.is_in_reset = group.mmio_is_frozen = group.dma_is_frozen = true;
		return 0;
	case VFIO_EEH_PE_INJECT_ERR:
		group.mmio_is_frozen = group.dma_is_frozen = true;
		return 0;
	default:
		return 0;
	}
}

static long decode_eeh(const void *argument, Access access, vfio_eeh_pe_op &operation)
{
	long error = read(operation, argument, access, SIZE_UP_TO(vfio_eeh_pe_op, op), 0);

	if (error)
		return error;
	if (operation.op > VFIO_EEH_PE_INJECT_ERR)
		return -EINVAL;
	if (operation.op != VFIO_EEH_PE_INJECT_ERR)
		return 0;
	if (operation.argsz < sizeof(operation))
		return -EINVAL;
	std::memcpy(&operation, argument, sizeof(operation));
	return operation.err.type > last_error_type || operation.err.func > last_error_function
		       ? -EINVAL
		       : 0;
}

long State::eeh(Call &call)
{
	vfio_eeh_pe_op operation = {};
	long answer = check_caller(call, decode_eeh(call.argument, call.access, operation));

	if (!answer && call.container.groups.empty())
		answer = -ENODEV;
	for (unsigned int group : call.container.groups) {
		if (!answer)
			answer = groups[group].has_pe ? perform(groups[group], operation.op)
						      : -ENODEV;
	}
	return answer;
}

} /* namespace model */

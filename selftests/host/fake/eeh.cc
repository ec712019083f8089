// SPDX-License-Identifier: GPL-2.0-only
/* PEs that freeze, as the kernel's EEH core and PowerNV's part of it have them. */
#include "arch/powerpc/glue/eeh.h"

#include <cerrno>

#include "fake/kernel.h"

using fake::kernel;
using fake::Point;

namespace fake {

/* What all of the functions begin with; false when this call is to fail. */
static bool enter(eeh_pe *pe, const std::string &call)
{
	kernel().might_sleep("EEH");
	if (held_mutexes())
		kernel().complain("EEH is called with a mutex held, which can deadlock");
	if (pe) {
		pe->last_call = call;
		++pe->calls;
	}
	kernel().run(Hook::InEeh);
	return !kernel().failures.hit(Point::Eeh);
}

static std::string describe(const char *name, std::initializer_list<unsigned long> arguments)
{
	std::string call = name;

	for (unsigned long argument : arguments)
		call += " " + std::to_string(argument);
	return call;
}

} /* namespace fake */

bool glue_eeh_enabled()
{
	return kernel().has_eeh;
}

struct iommu_group *iommu_group_ref_get(struct iommu_group *group)
{
	++group->references;
	return group;
}

void iommu_group_put(struct iommu_group *group)
{
	if (--group->references < 1)
		kernel().complain("a reference on a group was put that was not taken");
}

struct eeh_pe *eeh_iommu_group_to_pe(struct iommu_group *group)
{
	if (group->references < 2)
		kernel().complain("a group is used without a reference");
	return group->has_pe ? &group->pe : nullptr;
}

int eeh_pe_set_option(struct eeh_pe *pe, int option)
{
	if (!fake::enter(pe, fake::describe("set_option", { unsigned(option) })))
		return -EIO;
	switch (option) {
	case GLUE_EEH_DISABLE:
		return 0;
	case GLUE_EEH_ENABLE:
		pe->mmio_frozen = pe->dma_frozen = false;
		return 0;
	case GLUE_EEH_THAW_MMIO:
		pe->mmio_frozen = false;
		return 0;
	case GLUE_EEH_THAW_DMA:
		pe->dma_frozen = false;
		return 0;
	default:
		return -EINVAL;
	}
}

int eeh_pe_get_state(struct eeh_pe *pe)
{
	if (!fake::enter(pe, "get_state"))
		return -EIO;
	if (pe->in_reset)
		return 1;
	if (pe->mmio_frozen)
		return pe->dma_frozen ? 2 : 5;
	return pe->dma_frozen ? 4 : 0;
}

int eeh_pe_reset(struct eeh_pe *pe, int option, bool include_passed)
{
	if (!fake::enter(pe, fake::describe("reset", { unsigned(option), include_passed })))
		return -EIO;
	switch (option) {
	case GLUE_EEH_DEACTIVATE:
		pe->in_reset = pe->mmio_frozen = pe->dma_frozen = false;
		return 0;
	case GLUE_EEH_HOT_RESET:
	case GLUE_EEH_FUNDAMENTAL_RESET:
		pe->in_reset = pe->mmio_frozen = pe->dma_frozen = true;
		return 0;
	default:
		return -EINVAL;
	}
}

int eeh_pe_configure(struct eeh_pe *pe)
{
	return fake::enter(pe, "configure") ? 0 : -EIO;
}

int eeh_pe_inject_err(struct eeh_pe *pe, int type, int func, unsigned long addr, unsigned long mask)
{
	if (!fake::enter(pe,
			 fake::describe("inject", { unsigned(type), unsigned(func), addr, mask })))
		return -EIO;
	if (type < 0 || type > GLUE_EEH_LAST_ERROR_TYPE || func < 0 ||
	    func > GLUE_EEH_LAST_ERROR_FUNCTION)
		kernel().complain("an unknown error is injected, for which the kernel prints");
	pe->mmio_frozen = pe->dma_frozen = true;
	return 0;
}

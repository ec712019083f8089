// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/eeh.h"

#include <linux/vfio.h>

#include "arch/powerpc/glue/eeh.h"

namespace tce {

namespace {

constexpr bool include_passed = true;

int call_kernel(eeh_pe *pe, const EehRequest &request)
{
	switch (request.operation) {
	case VFIO_EEH_PE_DISABLE:
		return eeh_pe_set_option(pe, GLUE_EEH_DISABLE);
	case VFIO_EEH_PE_ENABLE:
		return eeh_pe_set_option(pe, GLUE_EEH_ENABLE);
	case VFIO_EEH_PE_UNFREEZE_IO:
		return eeh_pe_set_option(pe, GLUE_EEH_THAW_MMIO);
	case VFIO_EEH_PE_UNFREEZE_DMA:
		return eeh_pe_set_option(pe, GLUE_EEH_THAW_DMA);
	case VFIO_EEH_PE_GET_STATE:
		return eeh_pe_get_state(pe);
	case VFIO_EEH_PE_RESET_DEACTIVATE:
		return eeh_pe_reset(pe, GLUE_EEH_DEACTIVATE, include_passed);
	case VFIO_EEH_PE_RESET_HOT:
		return eeh_pe_reset(pe, GLUE_EEH_HOT_RESET, include_passed);
	case VFIO_EEH_PE_RESET_FUNDAMENTAL:
		return eeh_pe_reset(pe, GLUE_EEH_FUNDAMENTAL_RESET, include_passed);
	case VFIO_EEH_PE_CONFIGURE:
		return eeh_pe_configure(pe);
	default: /* Beside these decode() lets VFIO_EEH_PE_INJECT_ERR pass only. */
		return eeh_pe_inject_err(pe, request.error.type, request.error.function,
					 request.error.address, request.error.mask);
	}
}

Result<int> perform_in(iommu_group *group, const EehRequest &request)
{
	eeh_pe *pe = eeh_iommu_group_to_pe(group);

	if (!pe)
		return Errno::NoDevice;

	int answer = call_kernel(pe, request);

	if (answer < 0)
		return kcxx::Error::from_kernel(answer);
	return answer;
}

} /* namespace */

Result<int> perform_eeh(const EehRequest &request, const HeldGroups &groups)
{
	for (unsigned long i = 0; i < groups.size(); ++i) {
		int answer = TRY(perform_in(groups[i].get(), request));

		if (answer)
			return answer;
	}
	return 0;
}

} /* namespace tce */

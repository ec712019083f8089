// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor of a partition, and its calls. */
#include <asm/firmware.h>
#include <asm/hvcall.h>
#include <asm/plpar_wrappers.h>

#include "arch/powerpc/platforms/pseries/glue/hypercalls.h"

bool glue_papr_is_one(void)
{
	return firmware_has_feature(FW_FEATURE_LPAR) && !firmware_has_feature(FW_FEATURE_PS3_LV1);
}

bool glue_papr_has_multi_tce(void)
{
	return firmware_has_feature(FW_FEATURE_PUT_TCE_IND) &&
	       firmware_has_feature(FW_FEATURE_STUFF_TCE);
}

#ifdef CONFIG_PPC_PSERIES

long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce)
{
	return plpar_tce_put(liobn, address, tce);
}

long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count)
{
	return plpar_tce_put_indirect(liobn, address, __pa(list), count);
}

long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count)
{
	return plpar_tce_stuff(liobn, address, tce, count);
}

#else

/* Stubs for the linker: no such kernel runs in a partition. */
long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce)
{
	return H_FUNCTION;
}

long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count)
{
	return H_FUNCTION;
}

long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count)
{
	return H_FUNCTION;
}

#endif

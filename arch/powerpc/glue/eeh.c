// SPDX-License-Identifier: GPL-2.0-only
/* Enhanced Error Handling. */

/* Which asm/eeh.h of a kernel without EEH uses and does not declare. */
struct pci_controller;

#include <linux/build_bug.h>
#include <linux/io.h> /* which asm/eeh.h needs and does not include */
#include <linux/iommu.h>

#include <asm/eeh.h>

#include "arch/powerpc/glue/eeh.h"

static_assert(GLUE_EEH_LAST_ERROR_TYPE == EEH_ERR_TYPE_64);
static_assert(GLUE_EEH_LAST_ERROR_FUNCTION == EEH_ERR_FUNC_MAX);

bool glue_eeh_enabled(void)
{
	return eeh_enabled();
}

#ifdef CONFIG_EEH

static_assert((int)GLUE_EEH_DISABLE == EEH_OPT_DISABLE);
static_assert((int)GLUE_EEH_ENABLE == EEH_OPT_ENABLE);
static_assert((int)GLUE_EEH_THAW_MMIO == EEH_OPT_THAW_MMIO);
static_assert((int)GLUE_EEH_THAW_DMA == EEH_OPT_THAW_DMA);
static_assert((int)GLUE_EEH_DEACTIVATE == EEH_RESET_DEACTIVATE);
static_assert((int)GLUE_EEH_HOT_RESET == EEH_RESET_HOT);
static_assert((int)GLUE_EEH_FUNDAMENTAL_RESET == EEH_RESET_FUNDAMENTAL);

#else

/* Stubs for the linker: without a PE none but the first is called. */
struct eeh_pe *eeh_iommu_group_to_pe(struct iommu_group *group)
{
	return NULL;
}

int eeh_pe_set_option(struct eeh_pe *pe, int option)
{
	return -ENODEV;
}

int eeh_pe_get_state(struct eeh_pe *pe)
{
	return -ENODEV;
}

int eeh_pe_reset(struct eeh_pe *pe, int option, bool include_passed)
{
	return -ENODEV;
}

int eeh_pe_configure(struct eeh_pe *pe)
{
	return -ENODEV;
}

int eeh_pe_inject_err(struct eeh_pe *pe, int type, int func, unsigned long addr, unsigned long mask)
{
	return -ENODEV;
}

#endif

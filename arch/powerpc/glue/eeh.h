/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enhanced Error Handling: the PE of a group, which the PHB freezes when an error hits it
 * (arch/powerpc/include/asm/eeh.h). A kernel without it has no PEs.
 */
#ifndef GLUE_EEH_H
#define GLUE_EEH_H

#include "kernel/types.h"

GLUE_BEGIN

struct eeh_pe;

/* The kernel's numbers; the glue asserts that they are. */
enum glue_eeh_option {
	GLUE_EEH_DISABLE = 0,
	GLUE_EEH_ENABLE = 1,
	GLUE_EEH_THAW_MMIO = 2,
	GLUE_EEH_THAW_DMA = 3,
};

enum glue_eeh_reset {
	GLUE_EEH_DEACTIVATE = 0,
	GLUE_EEH_HOT_RESET = 1,
	GLUE_EEH_FUNDAMENTAL_RESET = 3,
};

/* The last of each, from 0 on. */
enum glue_eeh_error {
	GLUE_EEH_LAST_ERROR_TYPE = 1,
	GLUE_EEH_LAST_ERROR_FUNCTION = 19,
};

bool glue_eeh_enabled(void);

/*
 * arch/powerpc/kernel/eeh.c. All may sleep, for seconds. They may also wait for a device's lock
 * and for that of PCI's removal, under both of which the VFIO core can be waiting for a lock of
 * ours: none may be held.
 *
 * NULL: the group has no PE. No reference is taken; the PE goes with its last device.
 */
struct eeh_pe *eeh_iommu_group_to_pe(struct iommu_group *group);
/* 0 or a negative errno. */
int eeh_pe_set_option(struct eeh_pe *pe, int option);
/* EEH_PE_STATE_* or a negative errno. */
int eeh_pe_get_state(struct eeh_pe *pe);
/* 0 or a negative errno. @include_passed: also what is given to a user. */
int eeh_pe_reset(struct eeh_pe *pe, int option, bool include_passed);
int eeh_pe_configure(struct eeh_pe *pe);
int eeh_pe_inject_err(struct eeh_pe *pe, int type, int func, unsigned long addr,
		      unsigned long mask);

GLUE_END

#endif

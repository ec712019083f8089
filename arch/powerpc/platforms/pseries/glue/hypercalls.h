/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypervisor of a partition, and its calls. */
#ifndef GLUE_HYPERCALLS_H
#define GLUE_HYPERCALLS_H

#include "kernel/types.h"

GLUE_BEGIN

/* This is a partition: TCE tables are the hypervisor's. */
bool glue_papr_is_one(void);
/* The hypervisor has H_PUT_TCE_INDIRECT and H_STUFF_TCE. */
bool glue_papr_has_multi_tce(void);

/*
 * Any context. 0 for success (H_SUCCESS) or the hypervisor's code. @address: the bus address of
 * the first entry; @list: 4 KiB, aligned, with @count big-endian TCEs, up to 512.
 */
long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce);
long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count);
long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count);

GLUE_END

#endif

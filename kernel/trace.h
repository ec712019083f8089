/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events for who traces (Documentation/observability.rst). Each of these functions does nothing
 * unless its event is wanted. Any context; none sleeps, allocates or takes a lock.
 *
 * @container: the number of its directory in debugfs. @result: 0 or a negative errno.
 */
#ifndef GLUE_TRACE_H
#define GLUE_TRACE_H

#include "kernel/group_id.h"
#include "kernel/types.h"

GLUE_BEGIN

/*
 * How many of the events are wanted that have to do with every call: of map, unmap, KVM's exchange
 * and the invalidations. Who reads a 0 has nothing to tell.
 */
extern unsigned int glue_traced;

void glue_trace_group_attach(unsigned int container, const struct glue_group_id *id, long result);
void glue_trace_group_detach(unsigned int container, const struct glue_group_id *id);

/* @start: 0 where there is no window after all. */
void glue_trace_window_create(unsigned int container, unsigned long start, unsigned long size,
			      unsigned int page_shift, unsigned int levels, long result);
void glue_trace_window_remove(unsigned int container, unsigned long start, unsigned long size);

void glue_trace_register(unsigned int container, unsigned long user, unsigned long size,
			 long result);
void glue_trace_unregister(unsigned int container, unsigned long user, unsigned long size,
			   long result);

/* @direction, here and below: enum dma_data_direction. */
void glue_trace_map(unsigned int container, unsigned long ioba, unsigned long size,
		    unsigned long user, unsigned int direction, long result);
void glue_trace_unmap(unsigned int container, unsigned long ioba, unsigned long size, long result);

/* @page: the real address. @allowed: the entry was the caller's to change. */
void glue_trace_kvm_exchange(unsigned int container, unsigned long ioba, unsigned long page,
			     unsigned int direction, bool allowed);

/* @size: 0 for all that the PE has cached. */
void glue_trace_invalidate(unsigned long phb, unsigned int pe, unsigned long ioba,
			   unsigned long size, long result);
/* In all PEs that use a table of the kernel's. */
void glue_trace_invalidate_table(unsigned long ioba, unsigned long size);

GLUE_END

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* Events for who traces. */
#include <linux/compiler.h>
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "kernel/tce_trace.h"

unsigned int glue_traced;

/* The kernel calls both under one lock of its own. */
int tce_trace_begin(void)
{
	WRITE_ONCE(glue_traced, glue_traced + 1);
	return 0;
}

void tce_trace_end(void)
{
	WRITE_ONCE(glue_traced, glue_traced - 1);
}

void glue_trace_group_attach(unsigned int container, const struct glue_group_id *id, long result)
{
	trace_tce_group_attach(container, id, result);
}

void glue_trace_group_detach(unsigned int container, const struct glue_group_id *id)
{
	trace_tce_group_detach(container, id, 0);
}

void glue_trace_window_create(unsigned int container, unsigned long start, unsigned long size,
			      unsigned int page_shift, unsigned int levels, long result)
{
	trace_tce_window_create(container, start, size, page_shift, levels, result);
}

void glue_trace_window_remove(unsigned int container, unsigned long start, unsigned long size)
{
	trace_tce_window_remove(container, start, size);
}

void glue_trace_register(unsigned int container, unsigned long user, unsigned long size,
			 long result)
{
	trace_tce_register(container, user, size, result);
}

void glue_trace_unregister(unsigned int container, unsigned long user, unsigned long size,
			   long result)
{
	trace_tce_unregister(container, user, size, result);
}

void glue_trace_map(unsigned int container, unsigned long ioba, unsigned long size,
		    unsigned long user, unsigned int direction, long result)
{
	trace_tce_map(container, ioba, size, user, direction, result);
}

void glue_trace_unmap(unsigned int container, unsigned long ioba, unsigned long size, long result)
{
	trace_tce_unmap(container, ioba, size, result);
}

void glue_trace_kvm_exchange(unsigned int container, unsigned long ioba, unsigned long page,
			     unsigned int direction, bool allowed)
{
	trace_tce_kvm_exchange(container, ioba, page, direction, allowed);
}

void glue_trace_invalidate(unsigned long phb, unsigned int pe, unsigned long ioba,
			   unsigned long size, long result)
{
	trace_tce_invalidate(phb, pe, ioba, size, result);
}

void glue_trace_invalidate_table(unsigned long ioba, unsigned long size)
{
	trace_tce_invalidate_table(ioba, size);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* The events of glue/trace.h, as the kernel's macros want them, which read this file many times. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio_iommu_spapr_tce

#if !defined(TCE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TCE_TRACE_H

#include <linux/dma-direction.h>
#include <linux/tracepoint.h>

#include "kernel/trace.h"

/* clang-format off */

#ifndef show_tce_direction
#define show_tce_direction(direction)			\
	__print_symbolic(direction,			\
		{ DMA_BIDIRECTIONAL, "rw" },		\
		{ DMA_TO_DEVICE, "r" },			\
		{ DMA_FROM_DEVICE, "w" },		\
		{ DMA_NONE, "none" })

/* They count in glue_traced. */
int tce_trace_begin(void);
void tce_trace_end(void);
#endif

/* So that the values, not the names, are in what trace-cmd and perf read. */
TRACE_DEFINE_ENUM(DMA_BIDIRECTIONAL);
TRACE_DEFINE_ENUM(DMA_TO_DEVICE);
TRACE_DEFINE_ENUM(DMA_FROM_DEVICE);
TRACE_DEFINE_ENUM(DMA_NONE);

DECLARE_EVENT_CLASS(tce_group,
	TP_PROTO(unsigned int container, const struct glue_group_id *id, int result),
	TP_ARGS(container, id, result),
	TP_STRUCT__entry(
		__field(unsigned int, container)
		__field(int, group)
		__field(int, phb)
		__field(int, pe)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->container = container;
		__entry->group = id->group;
		__entry->phb = id->phb;
		__entry->pe = id->pe;
		__entry->result = result;
	),
	TP_printk("container=%u group=%d phb=%d pe=%d result=%d", __entry->container,
		  __entry->group, __entry->phb, __entry->pe, __entry->result)
);

DEFINE_EVENT(tce_group, tce_group_attach,
	TP_PROTO(unsigned int container, const struct glue_group_id *id, int result),
	TP_ARGS(container, id, result)
);

DEFINE_EVENT(tce_group, tce_group_detach,
	TP_PROTO(unsigned int container, const struct glue_group_id *id, int result),
	TP_ARGS(container, id, result)
);

TRACE_EVENT(tce_window_create,
	TP_PROTO(unsigned int container, unsigned long start, unsigned long size,
		 unsigned int page_shift, unsigned int levels, int result),
	TP_ARGS(container, start, size, page_shift, levels, result),
	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, size)
		__field(unsigned int, container)
		__field(unsigned int, page_shift)
		__field(unsigned int, levels)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->size = size;
		__entry->container = container;
		__entry->page_shift = page_shift;
		__entry->levels = levels;
		__entry->result = result;
	),
	TP_printk("container=%u start=0x%lx size=0x%lx page_shift=%u levels=%u result=%d",
		  __entry->container, __entry->start, __entry->size, __entry->page_shift,
		  __entry->levels, __entry->result)
);

TRACE_EVENT(tce_window_remove,
	TP_PROTO(unsigned int container, unsigned long start, unsigned long size),
	TP_ARGS(container, start, size),
	TP_STRUCT__entry(
		__field(unsigned long, start)
		__field(unsigned long, size)
		__field(unsigned int, container)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->size = size;
		__entry->container = container;
	),
	TP_printk("container=%u start=0x%lx size=0x%lx", __entry->container, __entry->start,
		  __entry->size)
);

DECLARE_EVENT_CLASS(tce_memory,
	TP_PROTO(unsigned int container, unsigned long user, unsigned long size, int result),
	TP_ARGS(container, user, size, result),
	TP_STRUCT__entry(
		__field(unsigned long, user)
		__field(unsigned long, size)
		__field(unsigned int, container)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->user = user;
		__entry->size = size;
		__entry->container = container;
		__entry->result = result;
	),
	TP_printk("container=%u user=0x%lx size=0x%lx result=%d", __entry->container,
		  __entry->user, __entry->size, __entry->result)
);

DEFINE_EVENT(tce_memory, tce_register,
	TP_PROTO(unsigned int container, unsigned long user, unsigned long size, int result),
	TP_ARGS(container, user, size, result)
);

DEFINE_EVENT(tce_memory, tce_unregister,
	TP_PROTO(unsigned int container, unsigned long user, unsigned long size, int result),
	TP_ARGS(container, user, size, result)
);

TRACE_EVENT_FN(tce_map,
	TP_PROTO(unsigned int container, unsigned long ioba, unsigned long size,
		 unsigned long user, unsigned int direction, int result),
	TP_ARGS(container, ioba, size, user, direction, result),
	TP_STRUCT__entry(
		__field(unsigned long, ioba)
		__field(unsigned long, size)
		__field(unsigned long, user)
		__field(unsigned int, container)
		__field(unsigned int, direction)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->ioba = ioba;
		__entry->size = size;
		__entry->user = user;
		__entry->container = container;
		__entry->direction = direction;
		__entry->result = result;
	),
	TP_printk("container=%u ioba=0x%lx size=0x%lx user=0x%lx direction=%s result=%d",
		  __entry->container, __entry->ioba, __entry->size, __entry->user,
		  show_tce_direction(__entry->direction), __entry->result),
	tce_trace_begin, tce_trace_end
);

TRACE_EVENT_FN(tce_unmap,
	TP_PROTO(unsigned int container, unsigned long ioba, unsigned long size, int result),
	TP_ARGS(container, ioba, size, result),
	TP_STRUCT__entry(
		__field(unsigned long, ioba)
		__field(unsigned long, size)
		__field(unsigned int, container)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->ioba = ioba;
		__entry->size = size;
		__entry->container = container;
		__entry->result = result;
	),
	TP_printk("container=%u ioba=0x%lx size=0x%lx result=%d", __entry->container,
		  __entry->ioba, __entry->size, __entry->result),
	tce_trace_begin, tce_trace_end
);

TRACE_EVENT_FN(tce_kvm_exchange,
	TP_PROTO(unsigned int container, unsigned long ioba, unsigned long page,
		 unsigned int direction, bool allowed),
	TP_ARGS(container, ioba, page, direction, allowed),
	TP_STRUCT__entry(
		__field(unsigned long, ioba)
		__field(unsigned long, page)
		__field(unsigned int, container)
		__field(unsigned int, direction)
		__field(bool, allowed)
	),
	TP_fast_assign(
		__entry->ioba = ioba;
		__entry->page = page;
		__entry->container = container;
		__entry->direction = direction;
		__entry->allowed = allowed;
	),
	TP_printk("container=%u ioba=0x%lx page=0x%lx direction=%s allowed=%d",
		  __entry->container, __entry->ioba, __entry->page,
		  show_tce_direction(__entry->direction), __entry->allowed),
	tce_trace_begin, tce_trace_end
);

TRACE_EVENT_FN(tce_invalidate,
	TP_PROTO(unsigned long phb, unsigned int pe, unsigned long ioba, unsigned long size,
		 int result),
	TP_ARGS(phb, pe, ioba, size, result),
	TP_STRUCT__entry(
		__field(unsigned long, phb)
		__field(unsigned long, ioba)
		__field(unsigned long, size)
		__field(unsigned int, pe)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->phb = phb;
		__entry->ioba = ioba;
		__entry->size = size;
		__entry->pe = pe;
		__entry->result = result;
	),
	TP_printk("phb=%lu pe=%u ioba=0x%lx size=0x%lx result=%d", __entry->phb, __entry->pe,
		  __entry->ioba, __entry->size, __entry->result),
	tce_trace_begin, tce_trace_end
);

TRACE_EVENT_FN(tce_invalidate_table,
	TP_PROTO(unsigned long ioba, unsigned long size),
	TP_ARGS(ioba, size),
	TP_STRUCT__entry(
		__field(unsigned long, ioba)
		__field(unsigned long, size)
	),
	TP_fast_assign(
		__entry->ioba = ioba;
		__entry->size = size;
	),
	TP_printk("ioba=0x%lx size=0x%lx", __entry->ioba, __entry->size),
	tce_trace_begin, tce_trace_end
);

/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH kernel
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE tce_trace
#include <trace/define_trace.h>

/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's parameters that can be changed at any time; a container reads them once. */
#ifndef DRIVERS_VFIO_PARAMETERS_H
#define DRIVERS_VFIO_PARAMETERS_H

#include "kernel/types.h"

GLUE_BEGIN

/* New containers can be of type 1. */
extern bool tce_type1;
/* How many mappings a new container of type 1 can have. */
extern unsigned int tce_dma_entry_limit;

GLUE_END

#endif

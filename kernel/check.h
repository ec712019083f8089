/* SPDX-License-Identifier: GPL-2.0-only */
/* What the C++ code takes for granted, and is not so. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include "kernel/types.h"

GLUE_BEGIN

/* Warns once that @condition does not hold. Any context. For kernels with KERNEL_CHECKS only. */
void glue_check_failed(const char *condition);

GLUE_END

#endif

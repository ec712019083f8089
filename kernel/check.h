/* SPDX-License-Identifier: GPL-2.0-only */
/* What the C++ code takes for granted, and is not so. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include "kernel/types.h"

GLUE_BEGIN

#ifndef __cplusplus
/* This is a kernel that looks for mistakes. For C++: KERNEL_CHECKS. */
#define GLUE_CHECKS (IS_ENABLED(CONFIG_DEBUG_VM) || IS_ENABLED(CONFIG_PROVE_LOCKING))
#endif

/* Warns once that @condition does not hold. Any context. In such a kernel only. */
void glue_check_failed(const char *condition);

GLUE_END

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KCXX_CHECK(condition): the caller keeps this rule. One who does not is an error of ours: tests on
 * the host end there, a kernel that looks for mistakes warns once, and any other does not look.
 */
#pragma once

#include "generated/kernel_layout.h"
#include "kernel/check.h"

#if KERNEL_CHECKS
#define KCXX_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) [[unlikely]]                                                     \
			glue_check_failed(#condition);                                             \
	} while (0)
#else
#define KCXX_CHECK(condition) static_cast<void>(sizeof(!(condition)))
#endif

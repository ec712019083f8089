/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether somebody traces what is done with every call. Asked before what would be told is put
 * together, because a load and a branch are all that a call for a page may pay for that.
 */
#pragma once

#include "kernel/trace.h"

namespace tce {

inline bool is_traced()
{
	return __atomic_load_n(&glue_traced, __ATOMIC_RELAXED);
}

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What debugfs shows of a container, and of the driver as a whole: lines of words like name=value.
 * Documentation/observability.rst has them.
 */
#pragma once

#include "drivers/vfio/debugfs.h"
#include "kcxx/result.h"

namespace tce {

/* A call has come to a container that is no more. Counts it, and returns -ENODEV for it. */
[[gnu::noinline, gnu::cold]] kcxx::Error late_call();

} /* namespace tce */

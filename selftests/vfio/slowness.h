/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits are seconds of the clock, which say nothing on a machine that is slow or has other work:
 * they are multiplied by this. See slowness.sh; the number comes from the kernel's command line.
 */
#ifndef SELFTESTS_VFIO_SLOWNESS_H
#define SELFTESTS_VFIO_SLOWNESS_H

#include <stdlib.h>

static inline unsigned int slowness(void)
{
	const char *text = getenv("slowness");
	const int number = text ? atoi(text) : 1;

	return number > 1 ? (unsigned int)number : 1;
}

#endif

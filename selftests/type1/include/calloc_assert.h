/* SPDX-License-Identifier: GPL-2.0-only */
/* Comes before each source of the kernel's. */
#ifndef SELFTESTS_TYPE1_CALLOC_ASSERT_H
#define SELFTESTS_TYPE1_CALLOC_ASSERT_H

#include <stdlib.h>

/* The library of 7.2 calls it, and nothing in that source has it. */
static inline void *calloc_assert(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

#endif

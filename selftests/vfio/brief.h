/* SPDX-License-Identifier: GPL-2.0-only */
/* What is a matter of time only: the lanes of `make check` do a quarter of it. */
#ifndef BRIEF_H
#define BRIEF_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool is_brief(void)
{
	return getenv("brief") != NULL;
}

/* So many of @count cycles or seconds, at least one; the lane asks for it in the environment. */
static inline int brief(int count)
{
	return is_brief() ? (count + 3) / 4 : count;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "cxx.h"

int cxx_read(const char *object, unsigned long offset)
{
	return object[offset];
}

static constinit int global[4] = {};

int cxx_read_global(unsigned int index)
{
	global[index % 4]++;
	return global[index];
}

void cxx_count(unsigned long *counter)
{
	++*counter;
}

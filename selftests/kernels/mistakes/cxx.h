/* SPDX-License-Identifier: GPL-2.0-only */
/* The mistakes that are made in C++ code, which is compiled as the module's is. */
#ifndef SELFTESTS_KERNELS_CXX_H
#define SELFTESTS_KERNELS_CXX_H

#ifdef __cplusplus
extern "C" {
#endif

int cxx_read(const char *object, unsigned long offset);
/* One of four. */
int cxx_read_global(unsigned int index);
void cxx_count(unsigned long *counter);

#ifdef __cplusplus
}
#endif

#endif

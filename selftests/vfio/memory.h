/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for the device to work on, and byte patterns in it. */
#ifndef SELFTESTS_VFIO_MEMORY_H
#define SELFTESTS_VFIO_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Anonymous memory of this process; ends the test program when there is none. */
uint8_t *memory_get(size_t size);
/* The same, aligned to a power of two. */
uint8_t *memory_get_aligned(size_t size, size_t alignment);
/* Free pages of hugetlbfs of the size 1 << shift; 0 if there is no such size. */
long memory_huge_free(unsigned int shift);
/* Memory of touched hugetlb pages of that size, shared as in hugetlbfs; NULL if there are too few. */
uint8_t *memory_get_huge(size_t size, unsigned int shift);
void memory_put(void *p, size_t size);
/* A file without a name, of tmpfs; one with a name, which is gone already. */
int memory_file(size_t size);
int memory_named_file(size_t size);
/* A mapping of a file from its start on; with MAP_SHARED it can be read and written. */
uint8_t *memory_map_file(int file, size_t size, int protection, int flags);
uint8_t *memory_map_shared(int file, size_t size);
bool memory_is_zero(const uint8_t *p, size_t size);
/* Where a touched page is in the machine, in pages; 0 if that cannot be known. Needs root. */
uint64_t memory_frame(const void *page);

/* A pattern differs in every byte from the same pattern of another seed. */
void pattern_fill(void *p, size_t size, uint8_t seed);
bool pattern_is(const void *p, size_t size, uint8_t seed);

#endif

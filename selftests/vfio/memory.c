// SPDX-License-Identifier: GPL-2.0-only
#include "memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t *memory_get(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

uint8_t *memory_get_aligned(size_t size, size_t alignment)
{
	uint8_t *p = memory_get(size + alignment);
	const size_t head = -(uintptr_t)p & (alignment - 1);

	if (head)
		munmap(p, head);
	munmap(p + head + size, alignment - head);
	return p + head;
}

long memory_huge_free(unsigned int shift)
{
	long pages = 0;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB/free_hugepages",
		 (1UL << shift) / 1024);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages;
}

/*
 * Shared and touched beforehand, as with hugetlbfs. With the hash MMU of 6.12 the kernel never
 * returns from pinning a private mapping that was not touched: it faults the page in for ever.
 */
uint8_t *memory_get_huge(size_t size, unsigned int shift)
{
	uint8_t *p;

	if (memory_huge_free(shift) < (long)(size >> shift))
		return NULL;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | (int)(shift << MAP_HUGE_SHIFT), -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	for (size_t at = 0; at < size; at += 1UL << shift)
		p[at] = 1;
	return p;
}

void memory_put(void *p, size_t size)
{
	munmap(p, size);
}

int memory_file(size_t size)
{
	int file = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (file < 0 || ftruncate(file, (off_t)size)) {
		perror("memfd_create");
		exit(1);
	}
	return file;
}

int memory_named_file(size_t size)
{
	char name[] = "/tmp/memory-XXXXXX";
	int file = mkstemp(name);

	if (file < 0 || unlink(name) || ftruncate(file, (off_t)size)) {
		perror(name);
		exit(1);
	}
	return file;
}

uint8_t *memory_map_file(int file, size_t size, int protection, int flags)
{
	void *p = mmap(NULL, size, protection, flags, file, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

uint8_t *memory_map_shared(int file, size_t size)
{
	return memory_map_file(file, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

bool memory_is_zero(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i])
			return false;
	}
	return true;
}

uint64_t memory_frame(const void *page)
{
	const uintptr_t number = (uintptr_t)page / (uintptr_t)sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (off_t)(number * sizeof(entry))) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry & ((1UL << 55) - 1);
}

static uint8_t pattern_byte(size_t index, uint8_t seed)
{
	/* The page number is in it, so that pages in the wrong order do not compare equal. */
	return (uint8_t)(index * 7 + (index >> 12) * 13 + seed);
}

void pattern_fill(void *p, size_t size, uint8_t seed)
{
	uint8_t *byte = p;

	for (size_t i = 0; i < size; i++)
		byte[i] = pattern_byte(i, seed);
}

bool pattern_is(const void *p, size_t size, uint8_t seed)
{
	const uint8_t *byte = p;

	for (size_t i = 0; i < size; i++) {
		if (byte[i] != pattern_byte(i, seed))
			return false;
	}
	return true;
}

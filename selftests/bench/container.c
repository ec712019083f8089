// SPDX-License-Identifier: GPL-2.0-only
/* Containers to measure, and the lines of results. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "floor/tce_floor.h"

#define HUGE_SHIFT	21

void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t median(int64_t *value, size_t count)
{
	qsort(value, count, sizeof(*value), compare);
	return value[count / 2];
}

/* ------------------------------------------------------------------------------- output */

/* "4K" for 12 */
static const char *size_name(unsigned int shift)
{
	static char name[2][8];
	static int which;

	which = !which;
	snprintf(name[which], sizeof(name[which]), "%u%c", 1 << shift % 10, " KMGTP"[shift / 10]);
	return name[which];
}

static void print_key(const char *kind, const char *what, const struct shape *s, uint64_t pages)
{
	printf("%s,%s,%s,%u,%s,%d,%d,%" PRIu64 ",", kind, what, size_name(s->page_shift),
	       s->levels, s->window_shift ? size_name(s->window_shift) : "default", s->groups,
	       s->regions, pages);
	if (s->threads)
		printf("%d,%d,", s->threads, s->containers);
	else
		printf(",,");
}

void print_row(const char *what, const struct shape *s, uint64_t pages, int64_t value)
{
	print_key("row", what, s, pages);
	printf("%" PRId64 "\n", value);
}

void print_row_per_page(const char *what, const struct shape *s, uint64_t pages,
			       int64_t value)
{
	print_key("row", what, s, pages);
	printf("%.*f\n", pages > 1, (double)value / (double)pages);
}

void print_quotient(const char *what, const struct shape *s, uint64_t pages, double value)
{
	print_key("row", what, s, pages);
	printf("%.2f\n", value);
}

void print_skip(const char *what, const struct shape *s, uint64_t pages,
		       const char *reason)
{
	print_key("skip", what, s, pages);
	printf("%s\n", reason);
}

/* ------------------------------------------------------------------------------- memory */

uint8_t *get_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	/* Small pages and large ones are not to be compared by accident. */
	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 1, size);
	return p;
}

uint8_t *get_memory_for(const struct bench *b, unsigned int page_shift)
{
	const size_t size = PAGES << page_shift;
	void *p;

	if (1UL << page_shift <= b->page)
		return get_memory(size);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE_SHIFT << MAP_HUGE_SHIFT, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < size; i += 1UL << HUGE_SHIFT)
		((uint8_t *)p)[i] = 1;
	return p;
}

void register_memory(const struct bench *b, const uint8_t *start, size_t size)
{
	struct vfio_iommu_spapr_register_memory arg = {
		.argsz = sizeof(arg), .vaddr = (uintptr_t)start, .size = size,
	};

	if (ioctl(b->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &arg))
		fail("REGISTER_MEMORY");
}

void unregister_memory(const struct bench *b, const uint8_t *start, size_t size)
{
	struct vfio_iommu_spapr_register_memory arg = {
		.argsz = sizeof(arg), .vaddr = (uintptr_t)start, .size = size,
	};

	if (ioctl(b->container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &arg))
		fail("UNREGISTER_MEMORY");
}

static void register_others(const struct bench *b)
{
	for (int i = 1; i < b->shape->regions; i++)
		register_memory(b, b->others + 2 * (size_t)i * b->page, b->page);
}

/* ---------------------------------------------------------------------------- container */

int open_file(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

void attach_group(const struct bench *b, int which)
{
	if (ioctl(b->group[which], VFIO_GROUP_SET_CONTAINER, &b->container))
		fail("SET_CONTAINER");
	if (which == 0 && ioctl(b->container, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU))
		fail("SET_IOMMU");
}

void detach_group(const struct bench *b, int which)
{
	if (ioctl(b->group[which], VFIO_GROUP_UNSET_CONTAINER))
		fail("UNSET_CONTAINER");
}

void open_groups(struct bench *b)
{
	char path[PATH_MAX];

	b->container = open_file("/dev/vfio/vfio");
	for (int i = 0; i < b->shape->groups; i++) {
		snprintf(path, sizeof(path), "/dev/vfio/%s", b->group_name[i]);
		b->group[i] = open_file(path);
		attach_group(b, i);
	}
	b->dma = b->container;
}

void remove_window(const struct bench *b)
{
	struct vfio_iommu_spapr_tce_remove arg = { .argsz = sizeof(arg) };

	if (ioctl(b->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &arg))
		fail("TCE_REMOVE");
}

bool create_window(const struct bench *b)
{
	const struct shape *s = b->shape;
	struct vfio_iommu_spapr_tce_create arg = {
		.argsz = sizeof(arg), .page_shift = s->page_shift,
		.window_size = 1UL << s->window_shift, .levels = s->levels,
	};

	if (ioctl(b->container, VFIO_IOMMU_SPAPR_TCE_CREATE, &arg))
		return false;
	if (arg.start_addr) {
		fprintf(stderr, "bench: the window is not at 0\n");
		exit(1);
	}
	return true;
}

/* The first map makes the default window; the floor wants it before. */
static void open_floor(struct bench *b)
{
	const struct tce_floor_setup arg = {
		.vaddr = (uintptr_t)b->memory, .size = PAGES << b->shape->page_shift,
		.page_shift = b->shape->page_shift,
	};

	b->dma = open_file("/dev/tce_floor");
	if (ioctl(b->dma, TCE_FLOOR_SETUP, &arg))
		fail("TCE_FLOOR_SETUP");
}

void open_container(struct bench *b, const struct shape *shape, bool others_first)
{
	b->shape = shape;
	open_groups(b);
	if (shape->window_shift) {
		remove_window(b);
		if (!create_window(b))
			fail("TCE_CREATE");
	}
	if (others_first)
		register_others(b);
	register_memory(b, b->memory, PAGES << shape->page_shift);
	if (!others_first)
		register_others(b);
	if (b->floor)
		open_floor(b);
}

uint64_t close_container(const struct bench *b)
{
	uint64_t start;

	if (b->dma != b->container)
		close(b->dma);
	start = now();
	for (int i = 0; i < b->shape->groups; i++)
		close(b->group[i]);
	close(b->container);
	return now() - start;
}

void map_at(const struct bench *b, uint64_t iova, uint64_t offset, uint64_t size)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)b->memory + offset, .iova = iova, .size = size,
	};

	if (ioctl(b->dma, VFIO_IOMMU_MAP_DMA, &arg))
		fail("MAP_DMA");
}

void map(const struct bench *b, uint64_t offset, uint64_t size)
{
	map_at(b, offset, offset, size);
}

void unmap(const struct bench *b, uint64_t offset, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .iova = offset, .size = size,
	};

	if (ioctl(b->dma, VFIO_IOMMU_UNMAP_DMA, &arg))
		fail("UNMAP_DMA");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What MAP_DMA, UNMAP_DMA, TCE_REMOVE and closing a container cost, and what a window holds.
 *
 *   bench driver <group> <group>	measures the driver that is loaded
 *   bench floor <group> <group>	the same maps and unmaps, made by /dev/tce_floor
 *
 * The numbers are those of two IOMMU groups that vfio-pci has. Times are in nanoseconds, and medians;
 * under "qemu -icount shift=0,sleep=off" a nanosecond is one guest instruction. Each result is a line
 *
 *   row,<what>,<TCE page>,<levels>,<window>,<groups>,<regions>,<pages>,<value>
 *
 * where the value is per page for map and unmap, of the whole call for others, and KiB for memory.
 * What cannot be measured is a line "skip,<the same up to pages>,<reason>".
 *
 * The mapped memory is one region. The others are registered before or after it, whichever makes
 * it the last one that the kernel's list search finds: the kernel adds new regions at the front
 * or at the back depending on its version, so both orders are measured and the worse one counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "floor/tce_floor.h"

#define PAGES		16384UL
#define MAX_GROUPS	2
#define MAX_REGIONS	256
#define MAX_REPETITIONS	101
#define FEW		5	/* repetitions of what takes long */
#define HUGE_SHIFT	21

/* No driver knows this one. */
#define NOTHING		_IO(VFIO_TYPE, VFIO_BASE + 99)

/* What one container has. */
struct shape {
	unsigned int page_shift;	/* of the TCEs */
	unsigned int levels;
	unsigned int window_shift;	/* 0: the default window */
	int groups;
	int regions;
};

struct bench {
	const char *group_name[MAX_GROUPS];
	bool floor;
	uint8_t *others;	/* the other regions, with a gap after each */
	size_t page;		/* of this process's memory */
	/* The container in use, and what takes its MAP_DMA and UNMAP_DMA. */
	const struct shape *shape;
	uint8_t *memory;
	int container;
	int group[MAX_GROUPS];
	int dma;
};

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
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

static int64_t median(int64_t *value, size_t count)
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
}

static void print_row(const char *what, const struct shape *s, uint64_t pages, int64_t value)
{
	print_key("row", what, s, pages);
	printf("%" PRId64 "\n", value);
}

/* With a digit where one counts. */
static void print_row_per_page(const char *what, const struct shape *s, uint64_t pages,
			       int64_t value)
{
	print_key("row", what, s, pages);
	printf("%.*f\n", pages > 1, (double)value / (double)pages);
}

static void print_skip(const char *what, const struct shape *s, uint64_t pages,
		       const char *reason)
{
	print_key("skip", what, s, pages);
	printf("%s\n", reason);
}

/* ------------------------------------------------------------------------------- memory */

static uint8_t *get_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	/* Small pages and large ones are not to be compared by accident. */
	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 1, size);
	return p;
}

/* Memory that TCEs of @page_shift can point into; NULL: the kernel has none. */
static uint8_t *get_memory_for(const struct bench *b, unsigned int page_shift)
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

static void register_memory(const struct bench *b, const uint8_t *start, size_t size)
{
	struct vfio_iommu_spapr_register_memory arg = {
		.argsz = sizeof(arg), .vaddr = (uintptr_t)start, .size = size,
	};

	if (ioctl(b->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &arg))
		fail("REGISTER_MEMORY");
}

static void register_others(const struct bench *b)
{
	for (int i = 1; i < b->shape->regions; i++)
		register_memory(b, b->others + 2 * (size_t)i * b->page, b->page);
}

/* ---------------------------------------------------------------------------- container */

static int open_file(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

static void open_groups(struct bench *b)
{
	char path[PATH_MAX];

	b->container = open_file("/dev/vfio/vfio");
	for (int i = 0; i < b->shape->groups; i++) {
		snprintf(path, sizeof(path), "/dev/vfio/%s", b->group_name[i]);
		b->group[i] = open_file(path);
		if (ioctl(b->group[i], VFIO_GROUP_SET_CONTAINER, &b->container))
			fail("SET_CONTAINER");
		if (i == 0 && ioctl(b->container, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU))
			fail("SET_IOMMU");
	}
	b->dma = b->container;
}

static void remove_window(const struct bench *b)
{
	struct vfio_iommu_spapr_tce_remove arg = { .argsz = sizeof(arg) };

	if (ioctl(b->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &arg))
		fail("TCE_REMOVE");
}

/* Returns false, and errno, if there can be no such window. */
static bool create_window(const struct bench *b)
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

static void open_container(struct bench *b, const struct shape *shape, bool others_first)
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

static uint64_t close_container(const struct bench *b)
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

static void map_at(const struct bench *b, uint64_t iova, uint64_t offset, uint64_t size)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)b->memory + offset, .iova = iova, .size = size,
	};

	if (ioctl(b->dma, VFIO_IOMMU_MAP_DMA, &arg))
		fail("MAP_DMA");
}

static void map(const struct bench *b, uint64_t offset, uint64_t size)
{
	map_at(b, offset, offset, size);
}

static void unmap(const struct bench *b, uint64_t offset, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .iova = offset, .size = size,
	};

	if (ioctl(b->dma, VFIO_IOMMU_UNMAP_DMA, &arg))
		fail("UNMAP_DMA");
}

/* ------------------------------------------------------------------------ measurements */

/* Nanoseconds of a call, not yet per page. */
struct times {
	int64_t map;
	int64_t unmap;
};

static struct times measure_calls(const struct bench *b, uint64_t pages, size_t repetitions)
{
	const unsigned int shift = b->shape->page_shift;
	int64_t map_ns[MAX_REPETITIONS], unmap_ns[MAX_REPETITIONS];

	for (size_t i = 0; i < repetitions; i++) {
		const uint64_t offset = i * pages % PAGES << shift;
		const uint64_t start = now();
		uint64_t mapped;

		map(b, offset, pages << shift);
		mapped = now();
		unmap(b, offset, pages << shift);
		map_ns[i] = (int64_t)(mapped - start);
		unmap_ns[i] = (int64_t)(now() - mapped);
	}
	return (struct times) {
		.map = median(map_ns, repetitions), .unmap = median(unmap_ns, repetitions),
	};
}

static const struct {
	uint64_t pages;
	size_t repetitions;
} calls[] = { { 1, MAX_REPETITIONS }, { 16, 51 }, { 256, 25 }, { 4096, 7 }, { PAGES, FEW } };

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void measure_dma(struct bench *b, const struct shape *shape)
{
	struct times worst[CALLS] = { 0 };

	for (int order = 0; order < (shape->regions > 1 ? 2 : 1); order++) {
		open_container(b, shape, order);
		/* The first pass allocates whatever a driver allocates once. */
		measure_calls(b, PAGES, 1);
		for (size_t c = 0; c < CALLS; c++) {
			const struct times t =
				measure_calls(b, calls[c].pages, calls[c].repetitions);

			if (t.map > worst[c].map)
				worst[c].map = t.map;
			if (t.unmap > worst[c].unmap)
				worst[c].unmap = t.unmap;
		}
		close_container(b);
	}
	for (size_t c = 0; c < CALLS; c++)
		print_row_per_page("map", shape, calls[c].pages, worst[c].map);
	for (size_t c = 0; c < CALLS; c++)
		print_row_per_page("unmap", shape, calls[c].pages, worst[c].unmap);
}

/* An ioctl that reaches the driver and does nothing there. */
static void measure_nothing(struct bench *b, const struct shape *shape)
{
	int64_t ns[MAX_REPETITIONS];

	open_container(b, shape, false);
	for (size_t i = 0; i < MAX_REPETITIONS; i++) {
		const uint64_t start = now();

		if (!ioctl(b->dma, NOTHING) || errno != ENOTTY)
			fail("an ioctl that does not exist");
		ns[i] = (int64_t)(now() - start);
	}
	close_container(b);
	print_row("nothing", shape, 0, median(ns, MAX_REPETITIONS));
}

static void measure_close(struct bench *b, const struct shape *shape, uint64_t pages)
{
	int64_t worst = 0;

	for (int order = 0; order < (shape->regions > 1 ? 2 : 1); order++) {
		int64_t ns[FEW], m;

		for (int i = 0; i < FEW; i++) {
			open_container(b, shape, order);
			if (pages)
				map(b, 0, pages << shape->page_shift);
			ns[i] = (int64_t)close_container(b);
		}
		m = median(ns, FEW);
		if (m > worst)
			worst = m;
	}
	print_row("close", shape, pages, worst);
}

static void measure_remove(struct bench *b, const struct shape *shape, uint64_t pages)
{
	const uint64_t step = PAGES << shape->page_shift;
	int64_t ns[FEW];

	for (int i = 0; i < FEW; i++) {
		uint64_t start;

		open_container(b, shape, false);
		for (uint64_t iova = 0; iova < pages << shape->page_shift; iova += step)
			map_at(b, iova, 0, step);
		start = now();
		remove_window(b);
		ns[i] = (int64_t)(now() - start);
		close_container(b);
	}
	print_row("remove", shape, pages, median(ns, FEW));
}

/* Pages that nobody has: those of the page allocator, and those that a CPU keeps at hand. */
static int64_t free_pages(void)
{
	char line[256];
	int64_t sum = 0, n;
	FILE *f;

	f = fopen("/proc/zoneinfo", "re");
	if (!f)
		fail("/proc/zoneinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " pages free %" SCNd64, &n) == 1 ||
		    sscanf(line, " count: %" SCNd64, &n) == 1)
			sum += n;
	}
	fclose(f);
	return sum;
}

/* What a window holds that nothing was ever mapped in. */
static void measure_memory(struct bench *b, const struct shape *shape)
{
	int64_t pages[9];
	const size_t times = sizeof(pages) / sizeof(pages[0]);

	b->shape = shape;
	open_groups(b);
	for (size_t i = 0; i < times; i++) {
		remove_window(b);
		pages[i] = free_pages();
		if (!create_window(b)) {
			print_skip("memory", shape, 0, strerror(errno));
			close_container(b);
			return;
		}
		pages[i] -= free_pages();
	}
	close_container(b);
	print_row("memory", shape, 0, median(pages, times) * (int64_t)(b->page / 1024));
}

/* -------------------------------------------------------------------------------- main */

static const struct shape plain = { 12, 1, 27, 1, 1 };
static const struct shape dma_shapes[] = {
	{ 12, 1, 27, 1, 1 },
	{ 12, 1, 27, 1, 8 },
	{ 12, 1, 27, 1, 64 },
	{ 12, 1, 27, 1, MAX_REGIONS },
	{ 12, 1, 27, 2, 1 },
	{ 12, 2, 27, 1, 1 },
	{ 16, 1, 31, 1, 1 },
};
static const struct shape many_regions = { 12, 1, 27, 1, MAX_REGIONS };
static const struct shape default_window = { 12, 1, 0, 1, 1 };
static const struct shape full_window = { 12, 1, 26, 1, 1 };
static const struct shape large_window = { 12, 1, 31, 1, 1 };
static const struct shape memory_shapes[] = {
	{ 16, 1, 40, 1, 1 },
	{ 16, 2, 40, 1, 1 },
	{ 21, 1, 40, 1, 1 },
	{ 12, 2, 40, 1, 1 },
	{ 12, 3, 40, 1, 1 },
	{ 12, 4, 40, 1, 1 },
};

#define FOR_EACH(s, list) \
	for (const struct shape *s = list; s < list + sizeof(list) / sizeof(list[0]); s++)

/* The container can have the window of @shape; the floor has all. */
static bool is_possible(struct bench *b, const struct shape *shape)
{
	bool made;

	if (b->floor)
		return true;
	b->shape = shape;
	open_groups(b);
	remove_window(b);
	made = create_window(b);
	close_container(b);
	return made;
}

static void measure_all_dma(struct bench *b)
{
	uint8_t *small = b->memory;

	FOR_EACH(s, dma_shapes) {
		const char *why = "no hugetlb pages of 2M";

		b->memory = s->page_shift == plain.page_shift ? small
							      : get_memory_for(b, s->page_shift);
		if (b->memory && !is_possible(b, s))
			why = "no windows of such pages";
		else if (b->memory) {
			measure_dma(b, s);
			continue;
		}
		for (size_t c = 0; c < CALLS; c++) {
			print_skip("map", s, calls[c].pages, why);
			print_skip("unmap", s, calls[c].pages, why);
		}
	}
	b->memory = small;
}

static void measure_all_others(struct bench *b)
{
	measure_close(b, &plain, 0);
	measure_close(b, &plain, PAGES);
	measure_close(b, &many_regions, PAGES);
	measure_close(b, &default_window, PAGES);
	measure_remove(b, &full_window, 0);
	measure_remove(b, &full_window, PAGES);
	measure_remove(b, &large_window, 0);
	measure_remove(b, &large_window, 1UL << (31 - 12));
	FOR_EACH(s, memory_shapes)
		measure_memory(b, s);
}

int main(int argc, char **argv)
{
	struct bench b = { .page = (size_t)sysconf(_SC_PAGESIZE) };

	if (argc != 4 || (strcmp(argv[1], "driver") && strcmp(argv[1], "floor"))) {
		fprintf(stderr, "usage: bench driver|floor <IOMMU group> <IOMMU group>\n");
		return 1;
	}
	/* A console that is busy with a line takes instructions: all lines come at the end. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	b.floor = !strcmp(argv[1], "floor");
	b.group_name[0] = argv[2];
	b.group_name[1] = argv[3];
	b.memory = get_memory_for(&b, plain.page_shift);
	b.others = get_memory(2 * MAX_REGIONS * b.page);
	/* What the machine does at first only is not to be in the numbers. */
	open_container(&b, &plain, false);
	measure_calls(&b, PAGES, FEW);
	close_container(&b);
	measure_nothing(&b, &plain);
	measure_all_dma(&b);
	if (!b.floor)
		measure_all_others(&b);
	return 0;
}

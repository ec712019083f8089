// SPDX-License-Identifier: GPL-2.0-only
/*
 * What MAP_DMA, UNMAP_DMA and closing a container cost.
 *
 * One group, v2, a window of 4K pages. Prints CSV: for map and unmap the nanoseconds per page of
 * calls of so many pages, for close the nanoseconds of the whole; all of them medians. Under
 * "qemu -icount shift=0,sleep=off" a nanosecond is one guest instruction.
 *
 * The mapped memory is one region. The others are registered before or after it, whichever makes
 * it the last one that the kernel's list search finds: the kernel adds new regions at the front
 * or at the back depending on its version, so both orders are measured and the worse one counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>

#define TCE_PAGE	4096UL
#define PAGES		16384UL
#define WINDOW_SIZE	(2 * PAGES * TCE_PAGE)
#define MAX_REGIONS	256
#define MAX_REPETITIONS	101

struct bench {
	int container;
	int group;
	uint8_t *memory;	/* what is mapped */
	uint8_t *others;	/* the other regions, with a gap after each */
	size_t page;		/* of this process's memory */
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
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *value, size_t count)
{
	qsort(value, count, sizeof(*value), compare);
	return value[count / 2];
}

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

static void register_memory(const struct bench *b, const uint8_t *start, size_t size)
{
	struct vfio_iommu_spapr_register_memory arg = {
		.argsz = sizeof(arg), .vaddr = (uintptr_t)start, .size = size,
	};

	if (ioctl(b->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &arg))
		fail("REGISTER_MEMORY");
}

static void register_others(const struct bench *b, int count)
{
	for (int i = 0; i < count; i++)
		register_memory(b, b->others + 2 * (size_t)i * b->page, b->page);
}

/* A container with the default window, which the first map will create. */
static void open_default(struct bench *b, const char *group)
{
	b->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (b->container < 0)
		fail("/dev/vfio/vfio");
	b->group = open(group, O_RDWR | O_CLOEXEC);
	if (b->group < 0)
		fail(group);
	if (ioctl(b->group, VFIO_GROUP_SET_CONTAINER, &b->container))
		fail("SET_CONTAINER");
	if (ioctl(b->container, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU))
		fail("SET_IOMMU");
}

static void open_container(struct bench *b, const char *group, int regions, int others_first)
{
	struct vfio_iommu_spapr_tce_create create = {
		.argsz = sizeof(create), .page_shift = 12, .window_size = WINDOW_SIZE, .levels = 1,
	};
	struct vfio_iommu_spapr_tce_remove remove = { .argsz = sizeof(remove) };

	open_default(b, group);
	if (ioctl(b->container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &remove))
		fail("TCE_REMOVE");
	if (ioctl(b->container, VFIO_IOMMU_SPAPR_TCE_CREATE, &create))
		fail("TCE_CREATE");
	if (create.start_addr) {
		fprintf(stderr, "bench: the window is not at 0\n");
		exit(1);
	}
	if (others_first)
		register_others(b, regions - 1);
	register_memory(b, b->memory, PAGES * TCE_PAGE);
	if (!others_first)
		register_others(b, regions - 1);
}

static uint64_t close_container(const struct bench *b)
{
	const uint64_t start = now();

	close(b->group);
	close(b->container);
	return now() - start;
}

static void map(const struct bench *b, uint64_t offset, uint64_t size)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)b->memory + offset, .iova = offset, .size = size,
	};

	if (ioctl(b->container, VFIO_IOMMU_MAP_DMA, &arg))
		fail("MAP_DMA");
}

static void unmap(const struct bench *b, uint64_t offset, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .iova = offset, .size = size,
	};

	if (ioctl(b->container, VFIO_IOMMU_UNMAP_DMA, &arg))
		fail("UNMAP_DMA");
}

struct times {
	uint64_t map;
	uint64_t unmap;
};

/* Nanoseconds of a call, not yet per page. */
static struct times measure_calls(const struct bench *b, uint64_t pages, size_t repetitions)
{
	uint64_t map_ns[MAX_REPETITIONS], unmap_ns[MAX_REPETITIONS];

	/* The first pass allocates whatever a driver allocates once. */
	map(b, 0, PAGES * TCE_PAGE);
	unmap(b, 0, PAGES * TCE_PAGE);
	for (size_t i = 0; i < repetitions; i++) {
		const uint64_t offset = i * pages % PAGES * TCE_PAGE;
		const uint64_t start = now();
		uint64_t mapped;

		map(b, offset, pages * TCE_PAGE);
		mapped = now();
		unmap(b, offset, pages * TCE_PAGE);
		map_ns[i] = mapped - start;
		unmap_ns[i] = now() - mapped;
	}
	return (struct times) {
		.map = median(map_ns, repetitions), .unmap = median(unmap_ns, repetitions),
	};
}

/* The default window is the largest that most clients have, and most of it is never used. */
static void measure_close_of_default_window(struct bench *b, const char *group)
{
	uint64_t close_ns[3];

	for (int i = 0; i < 3; i++) {
		open_default(b, group);
		register_memory(b, b->memory, PAGES * TCE_PAGE);
		map(b, 0, PAGES * TCE_PAGE);
		close_ns[i] = close_container(b);
	}
	printf("close_default_window,1,%lu,%" PRIu64 "\n", PAGES, median(close_ns, 3));
}

static void measure(struct bench *b, const char *group, int regions)
{
	static const struct {
		uint64_t pages;
		size_t repetitions;
	} calls[] = { { 1, 101 }, { 256, 25 }, { PAGES, 5 } };
	uint64_t close_ns[3], worst = 0;

	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
		const uint64_t pages = calls[c].pages;
		struct times most = { 0, 0 };

		for (int others_first = 0; others_first < 2; others_first++) {
			struct times t;

			open_container(b, group, regions, others_first);
			t = measure_calls(b, pages, calls[c].repetitions);
			close_container(b);
			if (t.map > most.map)
				most = t;
		}
		printf("map,%d,%" PRIu64 ",%" PRIu64 "\n", regions, pages, most.map / pages);
		printf("unmap,%d,%" PRIu64 ",%" PRIu64 "\n", regions, pages, most.unmap / pages);
	}
	for (int others_first = 0; others_first < 2; others_first++) {
		for (int i = 0; i < 3; i++) {
			open_container(b, group, regions, others_first);
			map(b, 0, PAGES * TCE_PAGE);
			close_ns[i] = close_container(b);
		}
		if (median(close_ns, 3) > worst)
			worst = median(close_ns, 3);
	}
	printf("close,%d,%lu,%" PRIu64 "\n", regions, PAGES, worst);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const int regions[] = { 1, 64, MAX_REGIONS };
	struct bench b;
	char group[PATH_MAX];

	if (argc != 2) {
		fprintf(stderr, "usage: bench <number of an IOMMU group that vfio-pci has>\n");
		return 1;
	}
	snprintf(group, sizeof(group), "/dev/vfio/%s", argv[1]);
	b.page = (size_t)sysconf(_SC_PAGESIZE);
	b.memory = get_memory(PAGES * TCE_PAGE);
	b.others = get_memory(2 * MAX_REGIONS * b.page);
	/* What the machine does at first only is not to be in the numbers. */
	open_container(&b, group, 1, 0);
	measure_calls(&b, PAGES, 5);
	close_container(&b);
	printf("metric,regions,pages,ns_per_page_or_call\n");
	measure_close_of_default_window(&b, group);
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		measure(&b, group, regions[i]);
	return 0;
}

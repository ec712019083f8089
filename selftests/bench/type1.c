// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers of type 1: what it costs to pin memory and map it. The floor is to pin it, in one call.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>

#define PARAMETER	"/sys/module/vfio_iommu_spapr_tce/parameters/type1"
/* All but one that a container can have, so that there is room for another. */
#define MANY		65534UL
#define MANY_START	(8UL << 30)
#define IOVA		(4UL << 30)
/* What closes with a container: so many mappings of the memory, each with a gap behind it. */
#define SPARSE		64UL
#define SPARSE_STEP	(16UL << 30)

/* Pages of the memory; PAGES of the kernel's size in each. */
static const struct shape memories[] = {
	{ 12, 1, 48, 1, 1, 0, 0 },
	{ 21, 1, 48, 1, 1, 0, 0 },
};

static bool switch_on(const char *text)
{
	const int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);
	bool is_on;

	if (fd < 0)
		return false;
	is_on = write(fd, text, 1) == 1;
	close(fd);
	return is_on;
}

static void open_type1(struct bench *b, const struct shape *shape)
{
	char path[64];

	b->shape = shape;
	if (b->floor) {
		b->dma = floor_open();
		return;
	}
	b->container = b->dma = open_file("/dev/vfio/vfio");
	snprintf(path, sizeof(path), "/dev/vfio/%s", b->group_name[0]);
	b->group[0] = open_file(path);
	if (ioctl(b->group[0], VFIO_GROUP_SET_CONTAINER, &b->container) ||
	    ioctl(b->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		fail("SET_IOMMU");
}

static void map_all(const struct bench *b, uint64_t iova, uint8_t *memory, size_t size)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory, .iova = iova, .size = size,
	};

	if (b->floor ? floor_pin(b->dma, memory, size) : ioctl(b->dma, VFIO_IOMMU_MAP_DMA, &arg))
		fail("MAP_DMA");
}

static void unmap_all(const struct bench *b, uint64_t iova, size_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .iova = iova, .size = size,
	};

	if (b->floor ? floor_unpin(b->dma) : ioctl(b->dma, VFIO_IOMMU_UNMAP_DMA, &arg))
		fail("UNMAP_DMA");
}

/* Names of rows. */
struct names {
	const char *map;
	const char *unmap;
};

static const struct names plain_names = { "type1_map", "type1_unmap" };
static const struct names thp_names = { "type1_map_thp", "type1_unmap_thp" };

static void measure_memory_of(struct bench *b, const struct shape *shape, uint8_t *memory,
			      const struct names *names)
{
	const size_t size = PAGES * b->page;
	int64_t map_ns[FEW], unmap_ns[FEW];

	open_type1(b, shape);
	/* The first time allocates what stays. */
	for (int i = -1; i < FEW; i++) {
		const uint64_t start = now();
		uint64_t mapped;

		map_all(b, IOVA, memory, size);
		mapped = now();
		unmap_all(b, IOVA, size);
		if (i < 0)
			continue;
		map_ns[i] = (int64_t)(mapped - start);
		unmap_ns[i] = (int64_t)(now() - mapped);
	}
	print_row_per_page(names->map, shape, PAGES, median(map_ns, FEW));
	print_row_per_page(names->unmap, shape, PAGES, median(unmap_ns, FEW));
	if (b->floor)
		close(b->dma);
	else
		close_container(b);
}

static void measure_many(struct bench *b, uint8_t *memory)
{
	int64_t ns[FEW];

	open_type1(b, &memories[0]);
	for (uint64_t i = 0; i < MANY; i++)
		map_all(b, MANY_START + 2 * i * b->page, memory, b->page);
	for (int i = 0; i < FEW; i++) {
		const uint64_t start = now();

		map_all(b, MANY_START + (2 * (uint64_t)i + 1) * b->page, memory, b->page);
		unmap_all(b, MANY_START + (2 * (uint64_t)i + 1) * b->page, b->page);
		ns[i] = (int64_t)(now() - start);
	}
	print_row("type1_many", &memories[0], MANY, median(ns, FEW));
	print_row_per_page("type1_close", &memories[0], MANY, (int64_t)close_container(b));
}

static void measure_sparse(struct bench *b, uint8_t *memory)
{
	const size_t size = PAGES * b->page;

	open_type1(b, &memories[1]);
	for (uint64_t i = 0; i < SPARSE; i++)
		map_all(b, IOVA + i * SPARSE_STEP, memory, size);
	print_row_per_page("type1_close", &memories[1], SPARSE * PAGES,
			   (int64_t)close_container(b));
}

static void skip_all(const char *reason)
{
	for (int i = 0; i < 2; i++) {
		print_skip("type1_map", &memories[i], PAGES, reason);
		print_skip("type1_unmap", &memories[i], PAGES, reason);
	}
	print_skip(thp_names.map, &memories[1], PAGES, reason);
	print_skip(thp_names.unmap, &memories[1], PAGES, reason);
	print_skip("type1_many", &memories[0], MANY, reason);
	print_skip("type1_close", &memories[0], MANY, reason);
	print_skip("type1_close", &memories[1], SPARSE * PAGES, reason);
}

static size_t transparent_huge_memory(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[128];
	size_t kib = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "AnonHugePages: %zu", &kib);
	if (f)
		fclose(f);
	return kib << 10;
}

/* Memory of transparent huge pages alone. */
static uint8_t *get_transparent(size_t size)
{
	const size_t huge = 1UL << 21;
	const size_t before = transparent_huge_memory();
	uint8_t *memory = mmap(NULL, size + huge, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("memory");
	memory += huge - (uintptr_t)memory % huge;
	if (madvise(memory, size, MADV_HUGEPAGE))
		fail("MADV_HUGEPAGE");
	for (size_t i = 0; i < size; i += huge)
		memory[i] = 1;
	if (transparent_huge_memory() - before < size)
		fail("transparent huge pages");
	return memory;
}

void measure_type1_rows(struct bench *b)
{
	uint8_t *huge = mmap(NULL, PAGES * b->page, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT, -1, 0);

	if (huge == MAP_FAILED)
		fail("huge pages");
	for (size_t i = 0; i < PAGES * b->page; i += 1UL << 21)
		huge[i] = 1;
	measure_memory_of(b, &memories[0], b->memory, &plain_names);
	measure_memory_of(b, &memories[1], huge, &plain_names);
	measure_memory_of(b, &memories[1], get_transparent(PAGES * b->page), &thp_names);
	if (b->floor)
		return;
	measure_many(b, b->memory);
	measure_sparse(b, huge);
}

void measure_type1(struct bench *b)
{
	if (!b->floor && !switch_on("1")) {
		skip_all("the driver has no type 1");
		return;
	}
	measure_type1_rows(b);
	if (!b->floor)
		switch_on("0");
}

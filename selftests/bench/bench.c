// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the calls of the driver cost, and what a window holds.
 *
 *   bench driver <group> <group>	measures the driver that is loaded
 *   bench threads <group> <group>	the same, by two threads on two CPUs
 *   bench floor <group> <group>	maps and unmaps made by /dev/tce_floor
 *
 * The numbers are those of two IOMMU groups that vfio-pci has. Times are in nanoseconds, and medians;
 * under "qemu -icount shift=0,sleep=off" a nanosecond is one guest instruction. Each result is a line
 *
 *   row,<what>,<TCE page>,<levels>,<window>,<groups>,<regions>,<pages>,<threads>,<containers>,<value>
 *
 * where the value is per page for what maps and unmaps, of the whole call for others, and KiB for memory.
 * What cannot be measured is a line "skip,<the same up to containers>,<reason>".
 *
 * The mapped memory is one region. The others are registered before or after it, whichever makes
 * it the last one that the kernel's list search finds: the kernel adds new regions at the front
 * or at the back depending on its version, so both orders are measured and the worse one counts.
 */
#include "bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>

#define MAX_REPETITIONS	101

/* No driver knows this one. */
#define NOTHING		_IO(VFIO_TYPE, VFIO_BASE + 99)

#define EVENTS		"/sys/kernel/tracing/events/vfio_iommu_spapr_tce"

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

static const char *const call_events[] = { "map", "unmap" };

/* Returns false if the driver has no events. */
static bool trace_calls(bool on)
{
	for (size_t i = 0; i < sizeof(call_events) / sizeof(call_events[0]); i++) {
		char path[128];
		FILE *f;

		snprintf(path, sizeof(path), EVENTS "/tce_%s/enable", call_events[i]);
		f = fopen(path, "we");
		if (!f)
			return false;
		if (fputs(on ? "1" : "0", f) < 0 || fclose(f))
			fail(path);
	}
	return true;
}

/* Calls for one page while their events are traced; those of measure_dma() are while nobody traces. */
static void measure_traced(struct bench *b, const struct shape *shape)
{
	struct times t;

	if (!trace_calls(true)) {
		print_skip("map_traced", shape, 1, "the driver has no events");
		print_skip("unmap_traced", shape, 1, "the driver has no events");
		return;
	}
	open_container(b, shape, false);
	measure_calls(b, PAGES, 1);
	t = measure_calls(b, 1, MAX_REPETITIONS);
	close_container(b);
	trace_calls(false);
	print_row_per_page("map_traced", shape, 1, t.map);
	print_row_per_page("unmap_traced", shape, 1, t.unmap);
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

/* The last group of @shape comes and goes; with the first one, the driver does. */
static void measure_attach(struct bench *b, const struct shape *shape)
{
	const int last = shape->groups - 1;
	int64_t attach_ns[MAX_REPETITIONS], detach_ns[MAX_REPETITIONS];

	open_container(b, shape, false);
	for (size_t i = 0; i < MAX_REPETITIONS; i++) {
		uint64_t start = now();

		detach_group(b, last);
		detach_ns[i] = (int64_t)(now() - start);
		start = now();
		attach_group(b, last);
		attach_ns[i] = (int64_t)(now() - start);
	}
	close_container(b);
	print_row("attach", shape, 0, median(attach_ns, MAX_REPETITIONS));
	print_row("detach", shape, 0, median(detach_ns, MAX_REPETITIONS));
}

/*
 * The memory was touched before, so that the kernel only has to pin it. It releases the pages some time after
 * it was told to, which is not to be in the next call.
 */
static void measure_register(struct bench *b, const struct shape *shape, size_t size)
{
	uint8_t *const memory = get_memory(size);
	int64_t register_ns[FEW], unregister_ns[FEW];

	b->shape = shape;
	open_groups(b);
	for (int i = 0; i < FEW; i++) {
		const uint64_t start = now();
		uint64_t registered;

		register_memory(b, memory, size);
		registered = now();
		unregister_memory(b, memory, size);
		register_ns[i] = (int64_t)(registered - start);
		unregister_ns[i] = (int64_t)(now() - registered);
		usleep(100000);
	}
	close_container(b);
	munmap(memory, size);
	print_row("register", shape, size / b->page, median(register_ns, FEW));
	print_row("unregister", shape, size / b->page, median(unregister_ns, FEW));
}

/* -------------------------------------------------------------------------------- main */

static const struct shape plain = { 12, 1, 27, 1, 1, 0, 0 };
static const struct shape dma_shapes[] = {
	{ 12, 1, 27, 1, 1, 0, 0 },
	{ 12, 1, 27, 1, 8, 0, 0 },
	{ 12, 1, 27, 1, 64, 0, 0 },
	{ 12, 1, 27, 1, MAX_REGIONS, 0, 0 },
	{ 12, 1, 27, 2, 1, 0, 0 },
	{ 12, 2, 27, 1, 1, 0, 0 },
	{ 16, 1, 31, 1, 1, 0, 0 },
};
static const struct shape many_regions = { 12, 1, 27, 1, MAX_REGIONS, 0, 0 };
static const struct shape default_window = { 12, 1, 0, 1, 1, 0, 0 };
static const struct shape full_window = { 12, 1, 26, 1, 1, 0, 0 };
static const struct shape large_window = { 12, 1, 31, 1, 1, 0, 0 };
static const struct shape two_groups = { 12, 1, 27, 2, 1, 0, 0 };
static const struct shape memory_shapes[] = {
	{ 16, 1, 40, 1, 1, 0, 0 },
	{ 16, 2, 40, 1, 1, 0, 0 },
	{ 21, 1, 40, 1, 1, 0, 0 },
	{ 12, 2, 40, 1, 1, 0, 0 },
	{ 12, 3, 40, 1, 1, 0, 0 },
	{ 12, 4, 40, 1, 1, 0, 0 },
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
	measure_traced(b, &plain);
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
	measure_attach(b, &default_window);
	measure_attach(b, &two_groups);
	measure_register(b, &default_window, 1UL << 30);
	measure_guest(b, &plain);
}

static void measure_one_cpu(struct bench *b)
{
	measure_nothing(b, &plain);
	measure_all_dma(b);
	if (!b->floor)
		measure_all_others(b);
	measure_type1(b);
}

int main(int argc, char **argv)
{
	struct bench b = { .page = (size_t)sysconf(_SC_PAGESIZE) };

	if (argc != 4 || (strcmp(argv[1], "driver") && strcmp(argv[1], "threads") &&
			  strcmp(argv[1], "floor"))) {
		fprintf(stderr, "usage: bench driver|threads|floor <IOMMU group> <IOMMU group>\n");
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
	if (strcmp(argv[1], "threads"))
		measure_one_cpu(&b);
	else
		measure_threads(&b, &plain);
	return 0;
}

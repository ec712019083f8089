// SPDX-License-Identifier: GPL-2.0-only
/*
 * The demonstration: a program maps its memory for a device through the VFIO v2 UAPI, the device
 * copies that memory, and then everything is taken away again. Prints what it does and sees; the
 * exit status is 0 if all of it was as it has to be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memory.h"
#include "vfio_spapr.h"

#define WINDOW_SIZE	(64 * MIB)
#define MEMORY_SIZE	(1 * MIB)
#define IOVA_FROM	0x100000UL
#define IOVA_TO		0x200000UL

static int failures;

static void note(const char *what, const char *result)
{
	printf("  %-58s %s\n", what, result);
}

/* Prints a step with its outcome and counts it if it is not what was to be. */
static void expect(const char *what, int got, int wanted)
{
	char result[64];

	if (got == wanted) {
		note(what, wanted ? strerror(-wanted) : "ok");
		return;
	}
	snprintf(result, sizeof(result), "WRONG: %s (%d)", got < 0 ? strerror(-got) : "success",
		 got);
	note(what, result);
	failures++;
}

static void expect_true(const char *what, bool is_true)
{
	note(what, is_true ? "yes" : "WRONG: no");
	failures += !is_true;
}

static long locked_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *status = fopen("/proc/self/status", "r");

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "VmLck: %ld", &kib);
	if (status)
		fclose(status);
	return kib;
}

static void show_window(int container)
{
	struct vfio_iommu_spapr_tce_info info = { .argsz = sizeof(info) };

	expect("GET_INFO", spapr_get_info(container, &info), 0);
	printf("    default window: %#x, %u MiB; %u windows, %u levels, page sizes %#llx\n",
	       info.dma32_window_start, info.dma32_window_size >> 20,
	       info.ddw.max_dynamic_windows_supported, info.ddw.levels,
	       (unsigned long long)info.ddw.pgsizes);
}

static void do_dma(struct edu *edu, unsigned char *from, unsigned char *to)
{
	for (size_t i = 0; i < EDU_BUFFER_SIZE; i++)
		from[i] = (unsigned char)(i * 7 + i / 256);
	memset(to, 0, EDU_BUFFER_SIZE);

	expect("the device fetches 4 KiB of our memory", edu_fetch(edu, IOVA_FROM, EDU_BUFFER_SIZE),
	       0);
	expect("the device stores them at another address", edu_store(edu, IOVA_TO, EDU_BUFFER_SIZE),
	       0);
	expect_true("byte by byte, what arrived is what was sent",
		    !memcmp(from, to, EDU_BUFFER_SIZE));
}

static void do_refused_dma(int container, struct edu *edu, unsigned char *to)
{
	memset(to, 0x5a, EDU_BUFFER_SIZE);
	expect("UNMAP_DMA of the second mapping", spapr_unmap(container, IOVA_TO, MEMORY_SIZE / 2),
	       0);
	edu_store(edu, IOVA_TO, EDU_BUFFER_SIZE);

	bool untouched = true;

	for (size_t i = 0; i < EDU_BUFFER_SIZE; i++)
		untouched = untouched && to[i] == 0x5a;
	expect_true("the device stores again and reaches nothing", untouched);
}

int main(void)
{
	struct spapr s;
	long locked_before = locked_kib();
	unsigned char *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	setvbuf(stdout, NULL, _IOLBF, 0);
	spapr_init(&s);
	if (memory == MAP_FAILED || spapr_discover(s.group, 1) < 1) {
		puts("  no memory, or no edu device is bound to vfio-pci");
		return EXIT_FAILURE;
	}
	printf("  device %s, IOMMU group %d\n", s.group[0].device, s.group[0].number);

	expect("VFIO_SET_IOMMU(VFIO_SPAPR_TCE_v2_IOMMU)", spapr_open(&s, 1), 0);
	show_window(s.container);
	expect("open the device", spapr_open_device(&s, 0), 0);
	if (failures)
		return EXIT_FAILURE;

	expect("REGISTER_MEMORY of 1 MiB", spapr_register(s.container, memory, MEMORY_SIZE), 0);
	expect("TCE_REMOVE of the default window, TCE_CREATE of 64 MiB",
	       spapr_create_at_0(s.container, WINDOW_SIZE, 1), 0);
	printf("    locked memory: %ld KiB\n", locked_kib());

	unsigned char *from = memory;
	unsigned char *to = memory + MEMORY_SIZE / 2;

	expect("MAP_DMA, 512 KiB for the device to read",
	       spapr_map(s.container, IOVA_FROM, from, MEMORY_SIZE / 2, MAP_RO), 0);
	expect("MAP_DMA, 512 KiB for the device to write",
	       spapr_map(s.container, IOVA_TO, to, MEMORY_SIZE / 2, MAP_RW), 0);
	do_dma(&s.edu[0], from, to);
	expect("UNREGISTER_MEMORY while it is mapped is refused",
	       spapr_unregister(s.container, memory, MEMORY_SIZE), -EBUSY);
	expect("MAP_DMA past the end of the window is refused (D1)",
	       spapr_map(s.container, WINDOW_SIZE - 64 * KIB, from, 128 * KIB, MAP_RW), -EINVAL);
	do_refused_dma(s.container, &s.edu[0], to);

	spapr_close(&s);
	printf("    locked memory after close: %ld KiB\n", locked_kib());
	expect_true("all locked memory was given back", locked_kib() == locked_before);

	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows of type 1 on a PC, whose kernel has it always.
 *
 *   bench-pc driver <group>	measures vfio_iommu_type1
 *   bench-pc floor <group>	pins the memory, as io_uring does for its buffers
 *
 * The lines are those of bench.c, and one that says how long instructions take: "loop,<nanoseconds>" for a
 * million of them.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/io_uring.h>

#define MILLION	1000000UL

int floor_open(void)
{
	struct io_uring_params params = { 0 };

	return (int)syscall(SYS_io_uring_setup, 1, &params);
}

int floor_pin(int fd, uint8_t *memory, size_t size)
{
	const struct iovec buffer = { .iov_base = memory, .iov_len = size };

	return (int)syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &buffer, 1);
}

int floor_unpin(int fd)
{
	return (int)syscall(SYS_io_uring_register, fd, IORING_UNREGISTER_BUFFERS, NULL, 0);
}

static void print_loop(void)
{
	uint64_t rounds = MILLION / 2;
	const uint64_t start = now();

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
	printf("loop,%" PRIu64 "\n", now() - start);
}

int main(int argc, char **argv)
{
	struct bench b = { .page = (size_t)sysconf(_SC_PAGESIZE) };

	if (argc != 3 || (strcmp(argv[1], "driver") && strcmp(argv[1], "floor"))) {
		fprintf(stderr, "usage: bench-pc driver|floor <IOMMU group>\n");
		return 1;
	}
	/* A console that is busy with a line takes instructions: all lines come at the end. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	b.floor = !strcmp(argv[1], "floor");
	b.group_name[0] = argv[2];
	b.memory = get_memory(PAGES * b.page);
	print_loop();
	measure_type1_rows(&b);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The floor of type 1 on POWER: the module in floor/. */
#include "bench.h"

#include <sys/ioctl.h>

#include "floor/tce_floor.h"

int floor_open(void)
{
	return open_file("/dev/tce_floor");
}

int floor_pin(int fd, uint8_t *memory, size_t size)
{
	const struct tce_floor_pin pin = { .vaddr = (uintptr_t)memory, .size = size };

	return ioctl(fd, TCE_FLOOR_PIN, &pin);
}

int floor_unpin(int fd)
{
	return ioctl(fd, TCE_FLOOR_UNPIN);
}

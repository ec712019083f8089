// SPDX-License-Identifier: GPL-2.0-only
/*
 * The step of PCI hotplug in a pSeries guest that the kernel leaves to userspace: tells the
 * firmware that the guest is done with a slot, or that it wants what has come into it.
 *
 * usage: isolate TOKEN DRC-INDEX 0|1     (TOKEN of RTAS's set-indicator; 0 isolates, 1 takes)
 */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What sys_rtas takes; all words are big-endian. */
struct rtas_call {
	uint32_t token;
	uint32_t arguments;
	uint32_t results;
	uint32_t words[16];
	uint64_t kernel_pointer;
};

enum { isolation_state = 9001 };

int main(int argc, char **argv)
{
	struct rtas_call call = { .arguments = htobe32(3), .results = htobe32(1) };

	if (argc != 4)
		return 2;
	call.token = htobe32(strtoul(argv[1], NULL, 0));
	call.words[0] = htobe32(isolation_state);
	call.words[1] = htobe32(strtoul(argv[2], NULL, 0));
	call.words[2] = htobe32(strtoul(argv[3], NULL, 0));
	if (syscall(SYS_rtas, &call)) {
		perror("rtas");
		return 1;
	}
	if (call.words[3]) {
		fprintf(stderr, "set-indicator: %d\n", (int)be32toh(call.words[3]));
		return 1;
	}
	return 0;
}

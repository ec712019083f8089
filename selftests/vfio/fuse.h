/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file system of one file, whose server is a process of its own: it answers a READ of the file when it
 * is told so, and can end in the middle. The file has a pattern in it.
 */
#ifndef SELFTESTS_VFIO_FUSE_H
#define SELFTESTS_VFIO_FUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FUSE_FILE_PAGES	16

struct fuse {
	pid_t server;
	int asked;		/* a byte for each READ that waits for its answer */
	int answers;		/* a byte for each READ that may be answered */
	int file;
};

/* False if the kernel has no FUSE. The page is what the file begins with; what follows is zeroes. */
bool fuse_start(struct fuse *fuse, const void *page);
/* Waits until a READ waits for its answer. */
bool fuse_is_asked(const struct fuse *fuse);
/* So many READs are answered at once, now or later. */
void fuse_answer(const struct fuse *fuse, int reads);
/* The server ends, with whatever waits for it; what waits or comes later fails. */
void fuse_kill(struct fuse *fuse);
/* The same, and the file system goes. */
void fuse_end(struct fuse *fuse);

#endif

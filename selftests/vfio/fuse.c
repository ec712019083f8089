// SPDX-License-Identifier: GPL-2.0-only
#include "fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slowness.h"
#include "vfio_spapr.h"

#define MOUNT		"/tmp/fuse"
#define FILE_NODE	2
#define FOR_EVER	1000000
#define ASKED_MS	10000

struct server {
	int device;
	int asked, answers;
	const uint8_t *page;
};

static void reply(const struct server *s, uint64_t unique, int error, const void *data, size_t size)
{
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + size), .error = error, .unique = unique,
	};
	struct iovec parts[] = {
		{ &header, sizeof(header) }, { (void *)data, size },
	};

	/* It can have been given up meanwhile. */
	if (writev(s->device, parts, 2) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attributes(uint64_t node)
{
	const bool is_file = node == FILE_NODE;

	return (struct fuse_attr) {
		.ino = node, .size = is_file ? FUSE_FILE_PAGES * page_size() : 0,
		.mode = is_file ? S_IFREG | 0600 : S_IFDIR | 0700, .nlink = 1,
		.blksize = (uint32_t)page_size(),
	};
}

static void answer_init(const struct server *s, uint64_t unique)
{
	/* No reading ahead: each page is asked for by itself. */
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096,
	};

	reply(s, unique, 0, &out, sizeof(out));
}

static void answer_lookup(const struct server *s, uint64_t unique)
{
	const struct fuse_entry_out out = {
		.nodeid = FILE_NODE, .generation = 1, .entry_valid = FOR_EVER,
		.attr_valid = FOR_EVER, .attr = attributes(FILE_NODE),
	};

	reply(s, unique, 0, &out, sizeof(out));
}

static void answer_getattr(const struct server *s, const struct fuse_in_header *in)
{
	const struct fuse_attr_out out = {
		.attr_valid = FOR_EVER, .attr = attributes(in->nodeid),
	};

	reply(s, in->unique, 0, &out, sizeof(out));
}

static void answer_read(const struct server *s, uint64_t unique, const struct fuse_read_in *in)
{
	const size_t size = in->size;
	uint8_t *data = calloc(1, size);
	char byte = 'r';

	if (!in->offset)
		memcpy(data, s->page, page_size());
	if (write(s->asked, &byte, 1) != 1 || read(s->answers, &byte, 1) != 1)
		_exit(0);
	reply(s, unique, 0, data, size);
	free(data);
}

static void answer(const struct server *s, const struct fuse_in_header *in)
{
	const struct fuse_open_out opened = { .fh = 1, .open_flags = FOPEN_KEEP_CACHE };

	switch (in->opcode) {
	case FUSE_INIT:
		answer_init(s, in->unique);
		break;
	case FUSE_LOOKUP:
		answer_lookup(s, in->unique);
		break;
	case FUSE_GETATTR:
		answer_getattr(s, in);
		break;
	case FUSE_OPEN:
		reply(s, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer_read(s, in->unique, (const struct fuse_read_in *)(in + 1));
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(s, in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(s, in->unique, -ENOSYS, NULL, 0);
	}
}

static void __attribute__((noreturn)) serve(const struct server *s)
{
	static uint8_t request[256 * KIB] __attribute__((aligned(8)));

	for (;;) {
		const ssize_t size = read(s->device, request, sizeof(request));

		if (size >= (ssize_t)sizeof(struct fuse_in_header))
			answer(s, (const struct fuse_in_header *)request);
		else if (size >= 0 || (errno != EINTR && errno != ENOENT))
			_exit(0);
	}
}

/* The device of the file system, which is mounted then, or -1. */
static int mount_fuse(void)
{
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[64];

	if (device < 0)
		return -1;
	mkdir(MOUNT, 0700);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (!mount("none", MOUNT, "fuse", 0, options))
		return device;
	close(device);
	return -1;
}

bool fuse_start(struct fuse *fuse, const void *page)
{
	struct server s = { .device = mount_fuse(), .page = page };
	int asked[2], answers[2];

	if (s.device < 0)
		return false;
	if (pipe(asked) || pipe(answers)) {
		perror("pipe");
		exit(1);
	}
	fuse->server = fork();
	if (!fuse->server) {
		/* Nor does it outlive a test that breaks off. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(asked[0]);
		close(answers[1]);
		s.asked = asked[1];
		s.answers = answers[0];
		serve(&s);
	}
	/* The server's alone: when it ends, so does the file system. */
	close(s.device);
	close(asked[1]);
	close(answers[0]);
	fuse->asked = asked[0];
	fuse->answers = answers[1];
	fuse->file = open(MOUNT "/file", O_RDWR | O_CLOEXEC);
	if (fuse->file < 0) {
		perror(MOUNT "/file");
		exit(1);
	}
	return true;
}

bool fuse_is_asked(const struct fuse *fuse)
{
	struct pollfd wait = { .fd = fuse->asked, .events = POLLIN };
	char byte;

	return poll(&wait, 1, ASKED_MS * (int)slowness()) == 1 && read(fuse->asked, &byte, 1) == 1;
}

void fuse_answer(const struct fuse *fuse, int reads)
{
	while (reads--) {
		if (write(fuse->answers, "a", 1) != 1)
			perror("answer");
	}
}

void fuse_kill(struct fuse *fuse)
{
	if (fuse->server <= 0)
		return;
	kill(fuse->server, SIGKILL);
	waitpid(fuse->server, NULL, 0);
	fuse->server = 0;
}

void fuse_end(struct fuse *fuse)
{
	fuse_kill(fuse);
	close(fuse->file);
	close(fuse->asked);
	close(fuse->answers);
	umount2(MOUNT, MNT_DETACH);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A container whose files several processes have: it belongs to one of them, which can end before the
 * others do. What was pinned for it is given back by whoever closes the last file.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PAGE		TCE_PAGE_4K
/* Room for the buffer, whatever the size of its pages. */
#define SMALL_WINDOW	(4 * MIB)
#define UNBIND_MS	20000

/* Nothing is open yet. */
FIXTURE(process)
{
	struct balance balance;
	struct spapr s;
	uint8_t *buffer;
	size_t size;
	long pinned;
};

FIXTURE_SETUP(process)
{
	/* The first container leaves things behind that are allocated once. */
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	spapr_close(&self->s);
	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	self->pinned = balance_pinned_pages();
}

FIXTURE_TEARDOWN(process)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

/* ---- Processes ---- */

/* Where a process says that it has come somewhere, by a byte. */
static void say(int fd, char what)
{
	if (write(fd, &what, 1) != 1)
		_exit(99);
}

/* What the other one says; 0 if it has ended instead. */
static char hear(int fd)
{
	char what = 0;

	return read(fd, &what, 1) == 1 ? what : 0;
}

static int exit_status(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Makes the calling process the owner. */
static bool take_container(const struct spapr *s, uint8_t *buffer, size_t size)
{
	return !spapr_register(s->container, buffer, size) &&
	       !spapr_create_at_0(s->container, SMALL_WINDOW, 1) &&
	       !spapr_map(s->container, 0, buffer, size, MAP_RW);
}

/* Returns the number of the first call that was not refused to a process that is not the owner. */
static int call_as_stranger(int container, uint8_t *buffer, size_t size)
{
	struct vfio_iommu_spapr_tce_info info;

	if (spapr_map(container, MIB, buffer, PAGE, MAP_RW) != -EPERM)
		return 1;
	if (spapr_unmap(container, 0, PAGE) != -EPERM)
		return 2;
	if (spapr_register(container, buffer, size) != -EPERM)
		return 3;
	if (spapr_unregister(container, buffer, size) != -EPERM)
		return 4;
	if (spapr_create(container, TCE_SHIFT_4K, MIB, 1, NULL) != -EPERM)
		return 5;
	if (spapr_remove(container, 0) != -EPERM)
		return 6;
	if (spapr_get_info(container, &info) != -EPERM)
		return 7;
	return spapr_check_extension(container, VFIO_SPAPR_TCE_v2_IOMMU) == 1 ? 0 : 8;
}

static int send_file(int socket, int file)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &file, sizeof(int));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_file(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int file = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return file;
}

/* ---- A stranger ---- */

/* It was there before the container and has nothing of it but the file. */
TEST_F(process, stranger_gets_the_file)
{
	int sockets[2];
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		close(sockets[0]);
		_exit(call_as_stranger(receive_file(sockets[1]), self->buffer, self->size));
	}
	close(sockets[1]);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_TRUE(take_container(&self->s, self->buffer, self->size));
	ASSERT_EQ(0, send_file(sockets[0], self->s.container));
	EXPECT_EQ(0, exit_status(child));
	close(sockets[0]);
	/* Nothing of it was done. */
	EXPECT_EQ(-EBUSY, spapr_unregister(self->s.container, self->buffer, self->size));
	EXPECT_EQ(0, spapr_unmap(self->s.container, 0, self->size));
	EXPECT_EQ(0, spapr_unregister(self->s.container, self->buffer, self->size));
}

/* On its way the file is open in no process, and what is pinned stays so. */
TEST_F(process, last_file_is_in_a_socket)
{
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_TRUE(take_container(&self->s, self->buffer, self->size));
	ASSERT_EQ(0, send_file(sockets[0], self->s.container));
	ASSERT_EQ(0, send_file(sockets[0], self->s.group_fd[0]));
	spapr_close(&self->s);
	EXPECT_EQ(self->pinned + BUFFER_PAGES, balance_pinned_pages());
	self->s.container = receive_file(sockets[1]);
	self->s.group_fd[0] = receive_file(sockets[1]);
	ASSERT_LE(0, self->s.container);
	EXPECT_EQ(0, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
	/* And then it never arrives. */
	ASSERT_EQ(0, send_file(sockets[0], self->s.container));
	ASSERT_EQ(0, send_file(sockets[0], self->s.group_fd[0]));
	spapr_close(&self->s);
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_EQ(0, balance_locked_kib());
}

/* ---- The end of the owner ---- */

enum ending { ENDS_BY_EXIT, ENDS_BY_SIGKILL, ENDS_BY_EXEC, ENDS_BY_EXEC_WITH_FILES };

FIXTURE(owner)
{
	struct balance balance;
	struct spapr s;
	uint8_t *buffer;
	size_t size;
	long pinned;
};

FIXTURE_VARIANT(owner)
{
	enum ending ending;
};

FIXTURE_VARIANT_ADD(owner, exits) { .ending = ENDS_BY_EXIT };
FIXTURE_VARIANT_ADD(owner, is_killed) { .ending = ENDS_BY_SIGKILL };
FIXTURE_VARIANT_ADD(owner, executes_another_program) { .ending = ENDS_BY_EXEC };
FIXTURE_VARIANT_ADD(owner, leaves_the_files_to_another_program) { .ending = ENDS_BY_EXEC_WITH_FILES };

FIXTURE_SETUP(owner)
{
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	spapr_close(&self->s);
	balance_take(&self->balance);
	self->size = BUFFER_PAGES * page_size();
	self->buffer = memory_get(self->size);
	self->pinned = balance_pinned_pages();
}

FIXTURE_TEARDOWN(owner)
{
	memory_put(self->buffer, self->size);
	CHECK_BALANCE(&self->s, &self->balance);
}

static void end_as(enum ending ending, const struct spapr *s)
{
	if (ending == ENDS_BY_SIGKILL)
		kill(getpid(), SIGKILL);
	if (ending == ENDS_BY_EXEC_WITH_FILES) {
		fcntl(s->container, F_SETFD, 0);
		fcntl(s->group_fd[0], F_SETFD, 0);
	}
	if (ending == ENDS_BY_EXEC || ending == ENDS_BY_EXEC_WITH_FILES)
		execl("/bin/sh", "sh", "-c", "exit 0", NULL);
	_exit(0);
}

static pid_t start_owner(struct spapr *s, uint8_t *buffer, size_t size, enum ending ending)
{
	pid_t child = fork();

	if (child)
		return child;
	if (!take_container(s, buffer, size))
		_exit(1);
	end_as(ending, s);
	_exit(2);
}

TEST_F(owner, the_container_stays_with_another_process)
{
	int status;
	pid_t child;

	ASSERT_EQ(0, spapr_open(&self->s, 1));
	child = start_owner(&self->s, self->buffer, self->size, variant->ending);
	ASSERT_LE(0, child);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(variant->ending == ENDS_BY_SIGKILL ? SIGKILL : 0, status);
	/* It belongs to nobody who could do anything with it, and keeps what it has. */
	EXPECT_EQ(0, call_as_stranger(self->s.container, self->buffer, self->size));
	EXPECT_EQ(self->pinned + BUFFER_PAGES, balance_pinned_pages());
	spapr_close(&self->s);
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	EXPECT_EQ(0, balance_locked_kib());
	/* The group is as good as new. */
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	EXPECT_TRUE(take_container(&self->s, self->buffer, self->size));
}

/* The pages of a process that has ended are still the device's, and nobody else's. */
TEST_F(owner, the_device_goes_on)
{
	pid_t child;

	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	/* The owner's copy of it is what it maps. */
	pattern_fill(self->buffer, PAGE, 0x55);
	child = start_owner(&self->s, self->buffer, self->size, variant->ending);
	ASSERT_LE(0, child);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	pattern_fill(self->buffer, PAGE, 0x92);
	EXPECT_EQ(0, edu_fetch(&self->s.edu[0], 0, PAGE));
	EXPECT_EQ(0, edu_store(&self->s.edu[0], PAGE, PAGE));
	EXPECT_EQ(0, edu_store(&self->s.edu[0], self->size - PAGE, PAGE));
	/* Nor does it reach ours. */
	EXPECT_TRUE(pattern_is(self->buffer, PAGE, 0x92));
}

/* ---- Copies of the memory ---- */

/* The device's pages stay the parent's when a child gets a copy of the memory. */
TEST_F(window, fork_while_mapped)
{
	pid_t child;

	ASSERT_EQ(0, spapr_map(self->fd, 0, self->buffer, PAGE, MAP_RW));
	pattern_fill(self->buffer, PAGE, 0x55);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (!pattern_is(self->buffer, PAGE, 0x55))
			_exit(1);
		memset(self->buffer, 0, self->size);
		pause();
		_exit(2);
	}
	EXPECT_DEVICE_WRITES(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_READS(self->edu, 0, self->buffer, self->scratch_iova, self->scratch);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* ---- Files that stay open ---- */

/* Keeps one of the files until it is told to end. */
static void __attribute__((noreturn)) keep_only(int kept, struct spapr *s, int ready, int end)
{
	const int all[] = { s->container, s->group_fd[0], s->edu[0].fd };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] >= 0 && all[i] != kept)
			close(all[i]);
	}
	say(ready, 'k');
	hear(end);
	_exit(0);
}

/* The device keeps its group in the container, and so does the container its memory. */
TEST_F(process, the_device_stays_open_elsewhere)
{
	int ready[2], end[2];
	pid_t child;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(end));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	ASSERT_TRUE(take_container(&self->s, self->buffer, self->size));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		keep_only(self->s.edu[0].fd, &self->s, ready[1], end[0]);
	ASSERT_EQ('k', hear(ready[0]));
	spapr_close(&self->s);
	EXPECT_EQ(self->pinned + BUFFER_PAGES, balance_pinned_pages());
	EXPECT_EQ(-EBUSY, spapr_open(&self->s, 1));
	say(end[1], 'e');
	EXPECT_EQ(0, exit_status(child));
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	EXPECT_EQ(0, balance_locked_kib());
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(end[i]);
	}
}

static int detach_group(const struct spapr *s)
{
	return ioctl(s->group_fd[0], VFIO_GROUP_UNSET_CONTAINER) ? errno : 0;
}

/* All that the container had goes at once, and is given back to the owner, not to who detached. */
TEST_F(process, another_process_detaches_the_group)
{
	pid_t child;

	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_TRUE(take_container(&self->s, self->buffer, self->size));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(detach_group(&self->s));
	EXPECT_EQ(0, exit_status(child));
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	EXPECT_EQ(0, balance_locked_kib());
	EXPECT_EQ(-EINVAL, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(-EINVAL, spapr_unregister(self->s.container, self->buffer, self->size));
	/* It can be used again. */
	ASSERT_EQ(0, spapr_attach(&self->s, 0));
	ASSERT_EQ(0, spapr_set_iommu(self->s.container, VFIO_SPAPR_TCE_v2_IOMMU));
	EXPECT_TRUE(take_container(&self->s, self->buffer, self->size));
}

/* ---- Ends in the middle of a call ---- */

#define LARGE		(64 * MIB)
#define KILLS		12

struct worker {
	struct spapr *s;
	int ready;
};

/* One thread maps, another one registers, until they are killed. */
static void *map_again_and_again(void *arg)
{
	const struct worker *w = arg;
	const int container = w->s->container;
	uint8_t *p = memory_get(LARGE);

	if (spapr_register(container, p, LARGE))
		_exit(1);
	say(w->ready, 'w');
	while (!spapr_map(container, 0, p, LARGE, MAP_RW) && !spapr_unmap(container, 0, LARGE))
		;
	_exit(2);
}

static void *register_again_and_again(void *arg)
{
	const struct worker *w = arg;
	const int container = w->s->container;
	uint8_t *p = memory_get(LARGE / 4);

	while (!spapr_register(container, p, LARGE / 4) && !spapr_unregister(container, p, LARGE / 4))
		;
	_exit(3);
}

static void __attribute__((noreturn)) work(struct spapr *s, int ready)
{
	struct worker worker = { s, ready };
	pthread_t thread[2];

	if (spapr_open(s, 1) || spapr_create_at_0(s->container, LARGE, 1) ||
	    pthread_create(&thread[0], NULL, map_again_and_again, &worker) ||
	    pthread_create(&thread[1], NULL, register_again_and_again, &worker))
		_exit(4);
	pause();
	_exit(5);
}

TEST_F(process, killed_while_it_maps_and_registers)
{
	int ready[2], status;
	pid_t child;

	ASSERT_EQ(0, pipe(ready));
	for (int i = 0; i < KILLS; i++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			work(&self->s, ready[1]);
		ASSERT_EQ('w', hear(ready[0]));
		usleep((useconds_t)i * 7919);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status))
			TH_LOG("status %x", status);
		EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	}
	close(ready[0]);
	close(ready[1]);
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	EXPECT_TRUE(take_container(&self->s, self->buffer, self->size));
}

/* ---- The driver is taken from the device ---- */

/* Has the kernel say by an eventfd that it wants the device back. */
static int watch_requests(const struct edu *edu)
{
	union {
		struct vfio_irq_set set;
		char bytes[sizeof(struct vfio_irq_set) + sizeof(int)];
	} arg = {
		.set = {
			.argsz = sizeof(arg.bytes),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_REQ_IRQ_INDEX, .count = 1,
		},
	};
	int event = eventfd(0, EFD_CLOEXEC);

	memcpy(arg.bytes + sizeof(struct vfio_irq_set), &event, sizeof(int));
	return event >= 0 && !ioctl(edu->fd, VFIO_DEVICE_SET_IRQS, &arg.set) ? event : -1;
}

static bool is_requested(int event)
{
	struct pollfd wait = { .fd = event, .events = POLLIN };

	return poll(&wait, 1, UNBIND_MS * (int)slowness()) == 1;
}

/* Unbinds the device in a process that has none of the files, and so waits for us only. */
static pid_t start_unbind(struct spapr *s)
{
	const struct spapr_group group = s->group[0];
	pid_t child = fork();

	if (child)
		return child;
	spapr_close(s);
	_exit(-spapr_unbind(&group));
}

TEST_F(process, unbound_while_the_device_is_open)
{
	struct spapr_group group;
	int event, status;
	pid_t child;

	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	group = self->s.group[0];
	event = watch_requests(&self->s.edu[0]);
	ASSERT_LE(0, event);
	ASSERT_TRUE(take_container(&self->s, self->buffer, self->size));
	child = start_unbind(&self->s);
	ASSERT_LE(0, child);
	EXPECT_TRUE(is_requested(event));
	/* Until the device is closed all goes on. */
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	EXPECT_EQ(0, edu_fetch(&self->s.edu[0], 0, PAGE));
	EXPECT_EQ(0, spapr_unmap(self->s.container, 0, PAGE));
	EXPECT_EQ(0, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
	edu_close(&self->s.edu[0]);
	EXPECT_EQ(0, exit_status(child));
	/* The group has left the container, with all that was in it. */
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	EXPECT_EQ(0, balance_locked_kib());
	EXPECT_EQ(-EINVAL, spapr_map(self->s.container, 0, self->buffer, PAGE, MAP_RW));
	spapr_close(&self->s);
	close(event);
	ASSERT_EQ(0, spapr_bind(&group));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	EXPECT_TRUE(take_container(&self->s, self->buffer, self->size));
}

#define UNBINDS	10

/* Unbinds the device, and binds it again, while a process maps into the container of its group. */
TEST_F(process, unbound_and_bound_under_load)
{
	struct spapr_group group;
	pid_t child;

	ASSERT_EQ(1, spapr_discover(&group, 1));
	for (int i = 0; i < UNBINDS; i++) {
		int ret;

		ASSERT_EQ(0, spapr_open(&self->s, 1));
		ASSERT_TRUE(take_container(&self->s, self->buffer, self->size));
		child = start_unbind(&self->s);
		ASSERT_LE(0, child);
		do {
			ret = spapr_map(self->s.container, 0, self->buffer, self->size, MAP_RW);
		} while (!ret);
		/* The group takes the windows along, then the container goes. */
		EXPECT_TRUE(ret == -ENXIO || ret == -ENODEV || ret == -EINVAL)
			TH_LOG("returned %d", ret);
		EXPECT_EQ(0, exit_status(child));
		spapr_close(&self->s);
		ASSERT_EQ(0, spapr_bind(&group));
	}
}

TEST_HARNESS_MAIN

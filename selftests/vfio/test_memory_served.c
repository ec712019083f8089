// SPDX-License-Identifier: GPL-2.0-only
/* Memory that a thread brings when it is touched. */
#include "memory_fixture.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

struct server {
	int fd;
	uint8_t *page;		/* what it answers with */
	size_t size;
	pthread_t thread;
};

/* Answers until the file is closed for it, by a message of size 0. */
static void *serve(void *arg)
{
	struct server *s = arg;
	struct uffd_msg message;

	while (read(s->fd, &message, sizeof(message)) == sizeof(message) &&
	       message.event == UFFD_EVENT_PAGEFAULT) {
		struct uffdio_copy copy = {
			.dst = message.arg.pagefault.address & -s->size,
			.src = (uintptr_t)s->page, .len = s->size,
		};

		ioctl(s->fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

static bool serve_memory(struct server *s, uint8_t *p, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_UNMAP };
	struct uffdio_register range = {
		.range = { (uintptr_t)p, size }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	s->size = page_size();
	s->page = memory_get(s->size);
	pattern_fill(s->page, s->size, 0x55);
	s->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	return s->fd >= 0 && !ioctl(s->fd, UFFDIO_API, &api) &&
	       !ioctl(s->fd, UFFDIO_REGISTER, &range) &&
	       !pthread_create(&s->thread, NULL, serve, s);
}

/* Unmapping the memory is the event that ends the thread. */
static void stop_server(struct server *s, uint8_t *p, size_t size)
{
	memory_put(p, size);
	pthread_join(s->thread, NULL);
	close(s->fd);
	memory_put(s->page, s->size);
}

/* Registering does not wait for an answer: it holds the lock of the address space. */
TEST_F(window, memory_of_a_server)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_get(size);
	struct server server;

	if (!serve_memory(&server, p, size))
		SKIP(return, "the kernel has no userfaultfd");
	expect_refused(_metadata, self, p, size);
	for (size_t at = 0; at < size; at += page_size())
		EXPECT_TRUE(pattern_is(p + at, page_size(), 0x55));
	expect_usable(_metadata, self, p, size);
	stop_server(&server, p, size);
}

TEST_F(v1, memory_of_a_server)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_get(size);
	struct server server;

	v1_enable(_metadata, self);
	if (!serve_memory(&server, p, size))
		SKIP(return, "the kernel has no userfaultfd");
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	stop_server(&server, p, size);
}

TEST_HARNESS_MAIN

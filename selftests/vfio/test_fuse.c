// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a file whose server does not answer, as the argument of a call and as what it registers or
 * maps. The call waits, unkillably, until the server answers or ends; nobody else waits for it.
 */
#include "fixture.h"
#include "fuse.h"
#include "ways.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGES	8
/* A call that waits gets this long to return all the same. */
#define A_WHILE	300000

FIXTURE(fuse)
{
	struct balance balance;
	struct spapr s;
	struct fuse fuse;
	uint8_t *buffer;	/* which the argument is about */
	uint8_t *first_page;	/* of the file */
	size_t page;
	long pinned;
	bool is_served;
};

FIXTURE_SETUP(fuse)
{
	self->page = page_size();
	self->buffer = memory_get(self->page);
	self->first_page = memory_get(self->page);
	pattern_fill(self->first_page, self->page, 0x55);
	balance_take(&self->balance);
	self->pinned = balance_pinned_pages();
	spapr_init(&self->s);
}

FIXTURE_TEARDOWN(fuse)
{
	if (self->is_served)
		fuse_end(&self->fuse);
	CHECK_BALANCE(&self->s, &self->balance);
}

/* From here on the file begins with what is in first_page. */
#define START_SERVER() do {								\
	self->is_served = fuse_start(&self->fuse, self->first_page);			\
	if (!self->is_served)								\
		SKIP(return, "the kernel has no FUSE");					\
} while (0)

static uint8_t *map_served(const struct fuse *fuse, size_t size, int protection, int flags)
{
	return memory_map_file(fuse->file, size, protection, flags);
}

/* ---- A call in a thread, and in a process ---- */

struct call {
	int fd;
	unsigned long request;
	void *argument;
	int result;
	pthread_t thread;
};

static void *run_call(void *data)
{
	struct call *call = data;

	call->result = spapr_ioctl(call->fd, call->request, call->argument);
	return NULL;
}

static int start_call(struct call *call, int fd, unsigned long request, void *argument)
{
	*call = (struct call) { .fd = fd, .request = request, .argument = argument, .result = 1 };
	return pthread_create(&call->thread, NULL, run_call, call);
}

static int finish_call(struct call *call)
{
	pthread_join(call->thread, NULL);
	return call->result;
}

static struct vfio_iommu_type1_dma_map map_argument(uint64_t iova, const void *p, size_t size)
{
	return (struct vfio_iommu_type1_dma_map) {
		.argsz = sizeof(struct vfio_iommu_type1_dma_map), .flags = MAP_RW,
		.vaddr = (uintptr_t)p, .iova = iova, .size = size,
	};
}

static bool has_ended(pid_t child)
{
	int status;

	usleep(A_WHILE);
	return waitpid(child, &status, WNOHANG);
}

/* ---- As an argument ---- */

/* The container's lock is not held then. */
TEST_F(fuse, others_use_the_container_while_an_argument_is_read)
{
	const struct vfio_iommu_type1_dma_map argument = map_argument(MIB, self->buffer, self->page);
	struct call call;
	int fd;

	memcpy(self->first_page, &argument, sizeof(argument));
	START_SERVER();
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	fd = self->s.container;
	ASSERT_EQ(0, spapr_create_at_0(fd, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->page));
	ASSERT_EQ(0, start_call(&call, fd, VFIO_IOMMU_MAP_DMA,
				map_served(&self->fuse, self->page, PROT_READ, MAP_SHARED)));
	ASSERT_TRUE(fuse_is_asked(&self->fuse));
	ASSERT_EQ(0, spapr_map(fd, 0, self->buffer, self->page, MAP_RW));
	ASSERT_EQ(0, spapr_unmap(fd, 0, self->page));
	ASSERT_EQ(0, spapr_unregister(fd, self->buffer, self->page));
	ASSERT_EQ(0, spapr_register(fd, self->buffer, self->page));
	EXPECT_EQ(1, call.result);
	fuse_answer(&self->fuse, 1);
	EXPECT_EQ(0, finish_call(&call));
	EXPECT_EQ(0, spapr_unmap(fd, MIB, self->page));
	EXPECT_EQ(0, spapr_unregister(fd, self->buffer, self->page));
}

TEST_F(fuse, the_server_ends_while_an_argument_is_read)
{
	const unsigned long requests[] = {
		VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_SPAPR_REGISTER_MEMORY,
		VFIO_IOMMU_SPAPR_TCE_CREATE,
	};
	struct call call;

	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->page));
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		START_SERVER();
		ASSERT_EQ(0, start_call(&call, self->s.container, requests[i],
					map_served(&self->fuse, self->page, PROT_READ, MAP_SHARED)));
		ASSERT_TRUE(fuse_is_asked(&self->fuse));
		fuse_kill(&self->fuse);
		EXPECT_EQ(-EFAULT, finish_call(&call));
		fuse_end(&self->fuse);
		self->is_served = false;
	}
}

static pid_t start_child_that_maps(struct spapr *s, struct fuse *fuse, uint8_t *buffer, size_t page)
{
	pid_t child = fork();

	if (child)
		return child;
	if (spapr_create_at_0(s->container, WINDOW_SIZE, 1) ||
	    spapr_register(s->container, buffer, page))
		_exit(1);
	spapr_ioctl(s->container, VFIO_IOMMU_MAP_DMA,
		    map_served(fuse, page, PROT_READ, MAP_SHARED));
	_exit(2);
}

TEST_F(fuse, killed_while_an_argument_is_read)
{
	int status;
	pid_t child;

	START_SERVER();
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	child = start_child_that_maps(&self->s, &self->fuse, self->buffer, self->page);
	ASSERT_LT(0, child);
	ASSERT_TRUE(fuse_is_asked(&self->fuse));
	kill(child, SIGKILL);
	EXPECT_FALSE(has_ended(child));
	/* Who takes the group away does not wait for it, and all that the container had goes at once. */
	EXPECT_EQ(self->pinned + 1, balance_pinned_pages());
	ASSERT_EQ(0, spapr_detach(&self->s, 0));
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	fuse_kill(&self->fuse);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(SIGKILL, status);
}

/* ---- As memory for a device ---- */

/* Copies of the file's pages: they are the process's own. */
TEST_F(fuse, private_memory_is_registered)
{
	const size_t size = PAGES * self->page;
	struct call call;
	uint8_t *p;
	int fd;
	struct vfio_iommu_spapr_register_memory argument = { .argsz = sizeof(argument), .size = size };

	START_SERVER();
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 0));
	fd = self->s.container;
	p = map_served(&self->fuse, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	argument.vaddr = (uintptr_t)p;
	ASSERT_EQ(0, spapr_create_at_0(fd, WINDOW_SIZE, 1));
	ASSERT_EQ(0, start_call(&call, fd, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &argument));
	ASSERT_TRUE(fuse_is_asked(&self->fuse));
	EXPECT_EQ(1, call.result);
	fuse_answer(&self->fuse, PAGES);
	ASSERT_EQ(0, finish_call(&call));
	EXPECT_EQ(self->pinned + PAGES, balance_pinned_pages());
	ASSERT_EQ(0, spapr_map(fd, 0, p, size, MAP_RW));
	EXPECT_TRUE(pattern_is(p, self->page, 0x55));
	EXPECT_EQ(0, edu_fetch(&self->s.edu[0], 0, EDU_BUFFER_SIZE));
	EXPECT_EQ(0, edu_store(&self->s.edu[0], self->page, EDU_BUFFER_SIZE));
	EXPECT_TRUE(pattern_is(p + self->page, EDU_BUFFER_SIZE, 0x55));
	EXPECT_EQ(0, spapr_unmap(fd, 0, size));
	EXPECT_EQ(0, spapr_unregister(fd, p, size));
}

/* The kernel could not know of what a device writes to the file. It is not even asked for. */
TEST_F(fuse, shared_memory_is_refused)
{
	const size_t size = PAGES * self->page;
	uint8_t *p;

	START_SERVER();
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	p = map_served(&self->fuse, size, PROT_READ | PROT_WRITE, MAP_SHARED);
	EXPECT_EQ(-EFAULT, spapr_register(self->s.container, p, size));
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
	EXPECT_EQ(0, balance_locked_kib());
}

/* ---- In the middle of it, in each type of container ---- */

FIXTURE(served)
{
	struct balance balance;
	struct spapr s;
	struct fuse fuse;
	uint8_t *first_page;
	long pinned;
	size_t size;
	bool is_served;
};

FIXTURE_VARIANT(served)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(served, v2) { .way = WAY_V2 };
FIXTURE_VARIANT_ADD(served, v1) { .way = WAY_V1 };
FIXTURE_VARIANT_ADD(served, type1) { .way = WAY_TYPE1 };

FIXTURE_SETUP(served)
{
	SKIP_WITHOUT_WAY(variant->way);
	self->size = PAGES * page_size();
	self->first_page = memory_get(page_size());
	self->is_served = fuse_start(&self->fuse, self->first_page);
	if (!self->is_served)
		SKIP(return, "the kernel has no FUSE");
	balance_take(&self->balance);
	self->pinned = balance_pinned_pages();
	ASSERT_EQ(0, way_open(variant->way, &self->s));
}

FIXTURE_TEARDOWN(served)
{
	if (!self->is_served)
		return;
	fuse_end(&self->fuse);
	CHECK_BALANCE(&self->s, &self->balance);
	way_end(variant->way);
}

/* Returns what the calls did, as the exit status. */
static pid_t start_child_that_takes(enum way way, struct spapr *s, struct fuse *fuse, size_t size)
{
	pid_t child = fork();
	uint8_t *p;

	if (child)
		return child;
	p = map_served(fuse, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	_exit(-way_take(way, s, p, size));
}

/* The first pages are there, and the others never come. */
TEST_F(served, the_server_ends)
{
	int status;
	pid_t child = start_child_that_takes(variant->way, &self->s, &self->fuse, self->size);

	ASSERT_LT(0, child);
	fuse_answer(&self->fuse, PAGES / 2);
	for (int i = 0; i <= PAGES / 2; i++)
		ASSERT_TRUE(fuse_is_asked(&self->fuse));
	EXPECT_FALSE(has_ended(child));
	fuse_kill(&self->fuse);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EFAULT, WEXITSTATUS(status));
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
}

TEST_F(served, killed_while_the_server_does_not_answer)
{
	int status;
	pid_t child = start_child_that_takes(variant->way, &self->s, &self->fuse, self->size);

	ASSERT_LT(0, child);
	fuse_answer(&self->fuse, PAGES / 2);
	for (int i = 0; i <= PAGES / 2; i++)
		ASSERT_TRUE(fuse_is_asked(&self->fuse));
	kill(child, SIGKILL);
	EXPECT_FALSE(has_ended(child));
	fuse_kill(&self->fuse);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(self->pinned, balance_pinned_settled(self->pinned));
}

/* Opens the second group, and has memory mapped by it. */
static int use_the_other_group(size_t page)
{
	uint8_t *p = memory_get(page);
	struct spapr s;
	int ret = spapr_open_group(&s, 1);

	if (!ret)
		ret = spapr_register(s.container, p, page);
	if (!ret)
		ret = spapr_map(s.container, 0, p, page, MAP_RW);
	if (!ret)
		ret = spapr_unmap(s.container, 0, page);
	if (!ret)
		ret = spapr_unregister(s.container, p, page);
	spapr_close(&s);
	memory_put(p, page);
	return ret;
}

/* Whoever has the other group has nothing to wait for. */
TEST_F(served, others_go_on)
{
	struct spapr_group group[SPAPR_MAX_GROUPS];
	int status;
	pid_t child;

	if (spapr_discover(group, SPAPR_MAX_GROUPS) < 2)
		SKIP(return, "there are no two groups with an edu device");
	child = start_child_that_takes(variant->way, &self->s, &self->fuse, self->size);
	ASSERT_LT(0, child);
	ASSERT_TRUE(fuse_is_asked(&self->fuse));
	EXPECT_EQ(0, use_the_other_group(page_size()));
	EXPECT_FALSE(has_ended(child));
	fuse_answer(&self->fuse, PAGES);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN

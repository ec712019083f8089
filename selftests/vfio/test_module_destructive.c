// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call that reads its argument from a page which nobody brings, while its group is closed and the
 * module is unloaded. It returns when the page comes: into the module, if that is still there.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "module.h"

#define A_WHILE	500000	/* us: for a thread to get to where it waits */

FIXTURE(waiting)
{
	struct balance balance;
	struct spapr s;
	char parameters[64];
	int userfault;
	void *page;		/* comes when the test says so */
	size_t size;
};

FIXTURE_SETUP(waiting)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (access(MODULE_FILE, R_OK))
		SKIP(return, "there is no " MODULE_FILE);
	self->userfault = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (self->userfault < 0 && errno == ENOSYS)
		SKIP(return, "the kernel has no userfaultfd");
	ASSERT_LE(0, self->userfault);
	balance_take(&self->balance);
	module_parameters(self->parameters, sizeof(self->parameters));
	self->size = page_size();
	self->page = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	area.range.start = (uintptr_t)self->page;
	area.range.len = self->size;
	ASSERT_EQ(0, ioctl(self->userfault, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(self->userfault, UFFDIO_REGISTER, &area));
	ASSERT_EQ(0, spapr_open(&self->s, 1));
}

FIXTURE_TEARDOWN(waiting)
{
	munmap(self->page, self->size);
	close(self->userfault);
	CHECK_BALANCE(&self->s, &self->balance);
}

struct call {
	int container;
	unsigned long request;
	void *argument;
	int result;
};

static void *run_call(void *data)
{
	struct call *call = data;

	call->result = spapr_ioctl(call->container, call->request, call->argument);
	return NULL;
}

static atomic_int unloaded;	/* the result, or 1 */

static void *run_unload(void *data)
{
	(void)data;
	unloaded = module_unload();
	return NULL;
}

static void bring_page(int userfault, void *page, size_t size)
{
	struct uffdio_zeropage zeroes = {
		.range = { .start = (uintptr_t)page, .len = size },
	};

	ioctl(userfault, UFFDIO_ZEROPAGE, &zeroes);
}

static int outlive(struct spapr *s, int userfault, void *page, size_t size, unsigned long request)
{
	struct call call = { s->container, request, page, 1 };
	pthread_t caller, unloader;
	int waits;

	pthread_create(&caller, NULL, run_call, &call);
	usleep(A_WHILE);
	/* The container's file stays, for its call; the driver is let go with the group. */
	spapr_detach(s, 0);
	unloaded = 1;
	pthread_create(&unloader, NULL, run_unload, NULL);
	usleep(A_WHILE);
	waits = unloaded == 1;
	bring_page(userfault, page, size);
	pthread_join(caller, NULL);
	pthread_join(unloader, NULL);
	return waits && !unloaded ? call.result : 1;
}

/* All zeroes are no argument; what counts is that there is an answer. */
TEST_F(waiting, d24_an_eeh_operation)
{
	EXPECT_EQ(-EINVAL, outlive(&self->s, self->userfault, self->page, self->size,
				   VFIO_EEH_PE_OP));
	ASSERT_EQ(0, module_load(self->parameters));
}

TEST_F(waiting, d24_a_map)
{
	EXPECT_EQ(-EINVAL, outlive(&self->s, self->userfault, self->page, self->size,
				   VFIO_IOMMU_MAP_DMA));
	ASSERT_EQ(0, module_load(self->parameters));
}

TEST_HARNESS_MAIN

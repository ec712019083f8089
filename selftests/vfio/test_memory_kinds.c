// SPDX-License-Identifier: GPL-2.0-only
/* Every kind of memory that a process can have: whether devices get it. */
#include "memory_fixture.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SHARED_HUGE	21

/* ---- What devices get ---- */

TEST_F(window, shared_file)
{
	const size_t size = PAGES * page_size();
	int file = memory_named_file(size);
	uint8_t *p = memory_map_shared(file, size), written[PAGE];

	expect_usable(_metadata, self, p, size);
	/* The device has written to the file. */
	ASSERT_EQ((ssize_t)PAGE, pread(file, written, PAGE, 0));
	EXPECT_TRUE(pattern_is(written, PAGE, 0x31));
	memory_put(p, size);
	close(file);
}

TEST_F(window, private_file)
{
	const size_t size = PAGES * page_size();
	int file = memory_named_file(size);
	uint8_t *p = memory_map_file(file, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	uint8_t written[PAGE];

	expect_usable(_metadata, self, p, size);
	/* Neither the process nor the device has written to the file. */
	ASSERT_EQ((ssize_t)PAGE, pread(file, written, PAGE, 0));
	EXPECT_TRUE(memory_is_zero(written, PAGE));
	memory_put(p, size);
	close(file);
}

TEST_F(v1, files)
{
	const size_t size = PAGES * page_size();
	int file = memory_named_file(size);
	uint8_t *shared = memory_map_shared(file, size);
	uint8_t *private = memory_map_file(file, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	v1_enable(_metadata, self);
	expect_v1_usable(_metadata, self, private, size);
	EXPECT_TRUE(memory_is_zero(shared, size));
	expect_v1_usable(_metadata, self, shared, size);
	EXPECT_FALSE(memory_is_zero(shared, size));
	memory_put(shared, size);
	memory_put(private, size);
	close(file);
}

/* A device that only reads gets pages of the process, not those of a file that others write to. */
TEST_F(v1, read_only_private_file)
{
	const size_t size = PAGES * page_size();
	int file = memory_named_file(size);
	uint8_t *p = memory_map_file(file, size, PROT_READ, MAP_PRIVATE), bytes[PAGE];

	v1_enable(_metadata, self);
	pattern_fill(bytes, PAGE, 0x55);
	ASSERT_EQ((ssize_t)PAGE, pwrite(file, bytes, PAGE, 0));
	expect_v1_refused(_metadata, self, p, size, MAP_RW);
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RO));
	EXPECT_OLD_PAGE(self, 0x55);
	/* Who writes to the file now does not write to what was mapped. */
	memset(bytes, 0, PAGE);
	ASSERT_EQ((ssize_t)PAGE, pwrite(file, bytes, PAGE, 0));
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_TRUE(pattern_is(p, PAGE, 0x55));
	memory_put(p, size);
	close(file);
}

TEST_F(window, huge_pages)
{
	const size_t size = 2UL << SHARED_HUGE;
	const long free_pages = memory_huge_free(SHARED_HUGE);
	uint8_t *p = memory_get_huge(size, SHARED_HUGE);

	if (!p)
		SKIP(return, "there are no hugetlb pages of 2M");
	expect_usable(_metadata, self, p, size);
	memory_put(p, size);
	EXPECT_EQ(free_pages, memory_huge_free(SHARED_HUGE));
}

/* The pages of a hole are free again when the device has lost them, not before. */
TEST_F(window, hole_in_huge_pages)
{
	const size_t size = 1UL << SHARED_HUGE;
	const long free_pages = memory_huge_free(SHARED_HUGE), pinned = balance_pinned_pages();
	uint8_t *p = memory_get_huge(size, SHARED_HUGE);

	if (!p)
		SKIP(return, "there are no hugetlb pages of 2M");
	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	pattern_fill(p, PAGE, 0x55);
	ASSERT_EQ(0, madvise(p, size, MADV_REMOVE));
	EXPECT_EQ(free_pages - 1, memory_huge_free(SHARED_HUGE));
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	memory_put(p, size);
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
	EXPECT_EQ(free_pages, memory_huge_free(SHARED_HUGE));
}

/* Also when a part of it is given back, for which it cannot be split any more. */
TEST_F(window, transparent_huge_page)
{
	const size_t size = 1UL << SHARED_HUGE;
	uint8_t *p = memory_get_aligned(size, size);

	if (madvise(p, size, MADV_HUGEPAGE))
		SKIP(memory_put(p, size); return, "the kernel has no transparent huge pages");
	memset(p, 1, size);
	expect_usable(_metadata, self, p, size);
	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	pattern_fill(p, PAGE, 0x55);
	ASSERT_EQ(0, madvise(p, size / 2, MADV_DONTNEED));
	ASSERT_EQ(0, mprotect(p + size / 2, page_size(), PROT_READ));
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_DEVICE_WRITES(self->edu, IOVA + size - PAGE, p + size - PAGE, self->scratch_iova,
			     self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	memory_put(p, size);
}

TEST_F(window, stack)
{
	uint8_t stack[(PAGES + 1) * page_size()];
	uint8_t *p = stack + (-(uintptr_t)stack & (page_size() - 1));

	expect_usable(_metadata, self, p, PAGES * page_size());
}

TEST_F(v1, stack)
{
	uint8_t stack[(PAGES + 1) * page_size()];
	uint8_t *p = stack + (-(uintptr_t)stack & (page_size() - 1));

	v1_enable(_metadata, self);
	expect_v1_usable(_metadata, self, p, PAGES * page_size());
}

/* Memory that mlock() has charged already is charged again, and each gives back its own. */
TEST_F(window, locked_memory)
{
	const size_t size = PAGES * page_size();
	const long locked = balance_locked_kib();
	uint8_t *p = memory_get(size);

	ASSERT_EQ(0, mlock(p, size));
	expect_usable(_metadata, self, p, size);
	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, munlock(p, size));
	EXPECT_EQ(locked + (long)(size / KIB), balance_locked_kib());
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(locked, balance_locked_kib());
	memory_put(p, size);
}

/* ---- What they do not get ---- */

TEST_F(window, no_access)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_map_file(-1, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);

	expect_refused(_metadata, self, p, size);
	/* What comes after pages that are fine. */
	ASSERT_EQ(0, mprotect(p, size / 2, PROT_READ | PROT_WRITE));
	expect_refused(_metadata, self, p, size);
	ASSERT_EQ(0, mprotect(p, size, PROT_READ | PROT_WRITE));
	expect_usable(_metadata, self, p, size);
	memory_put(p, size);
}

TEST_F(v1, no_access)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_map_file(-1, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);

	v1_enable(_metadata, self);
	expect_v1_refused(_metadata, self, p, size, MAP_RO);
	ASSERT_EQ(0, mprotect(p, size / 2, PROT_READ | PROT_WRITE));
	expect_v1_refused(_metadata, self, p, size, MAP_RW);
	memory_put(p, size);
}

TEST_F(v1, hole)
{
	const size_t page = page_size();
	uint8_t *p = memory_get(3 * page);

	memory_put(p + page, page);
	v1_enable(_metadata, self);
	expect_v1_refused(_metadata, self, p, 3 * page, MAP_RW);
	expect_v1_refused(_metadata, self, p, 3 * page, MAP_RO);
	memory_put(p, page);
	memory_put(p + 2 * page, page);
}

TEST_F(window, read_only_files)
{
	const size_t size = PAGES * page_size();
	int file = memory_named_file(size);
	uint8_t *shared = memory_map_file(file, size, PROT_READ, MAP_SHARED);
	uint8_t *private = memory_map_file(file, size, PROT_READ, MAP_PRIVATE);

	expect_refused(_metadata, self, shared, size);
	expect_refused(_metadata, self, private, size);
	memory_put(shared, size);
	memory_put(private, size);
	close(file);
}

/* The file ends within the range. */
TEST_F(window, past_the_end_of_a_file)
{
	const size_t size = PAGES * page_size();
	int file = memory_named_file(size / 2);
	uint8_t *p = memory_map_shared(file, size);

	expect_refused(_metadata, self, p, size);
	expect_usable(_metadata, self, p, size / 2);
	/* As it does once it was longer. */
	ASSERT_EQ(0, ftruncate(file, (off_t)size));
	expect_usable(_metadata, self, p, size);
	ASSERT_EQ(0, ftruncate(file, (off_t)page_size()));
	expect_refused(_metadata, self, p, size);
	memory_put(p, size);
	close(file);
}

TEST_F(v1, past_the_end_of_a_file)
{
	const size_t size = PAGES * page_size();
	int file = memory_named_file(size / 2);
	uint8_t *p = memory_map_shared(file, size);

	v1_enable(_metadata, self);
	expect_v1_refused(_metadata, self, p, size, MAP_RW);
	expect_v1_refused(_metadata, self, p, size, MAP_RO);
	expect_v1_usable(_metadata, self, p, size / 2);
	memory_put(p, size);
	close(file);
}

/* The registers of a device, here those of the same one. */
TEST_F(window, registers_of_a_device)
{
	expect_refused(_metadata, self, (uint8_t *)self->edu->bar, page_size());
}

TEST_F(v1, registers_of_a_device)
{
	v1_enable(_metadata, self);
	expect_v1_refused(_metadata, self, (uint8_t *)self->edu->bar, PAGE, MAP_RW);
	expect_v1_refused(_metadata, self, (uint8_t *)self->edu->bar, PAGE, MAP_RO);
}

/* An address of a mapping of this process of that name, or NULL. */
static uint8_t *find_mapping(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start = 0;
	char line[512];
	bool found = false;

	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, name) && sscanf(line, "%lx", &start) == 1;
	if (maps)
		fclose(maps);
	return found ? (uint8_t *)start : NULL;
}

TEST_F(window, pages_of_the_kernel)
{
	uint8_t *vdso = (uint8_t *)getauxval(AT_SYSINFO_EHDR), *vvar = find_mapping("[vvar]");

	ASSERT_NE(NULL, vdso);
	ASSERT_NE(NULL, vvar);
	expect_refused(_metadata, self, vdso, page_size());
	expect_refused(_metadata, self, vvar, page_size());
}

TEST_F(v1, pages_of_the_kernel)
{
	uint8_t *vdso = (uint8_t *)getauxval(AT_SYSINFO_EHDR), *vvar = find_mapping("[vvar]");

	ASSERT_NE(NULL, vdso);
	ASSERT_NE(NULL, vvar);
	v1_enable(_metadata, self);
	expect_v1_refused(_metadata, self, vdso, PAGE, MAP_RW);
	expect_v1_refused(_metadata, self, vvar, PAGE, MAP_RW);
	expect_v1_refused(_metadata, self, vvar, PAGE, MAP_RO);
}

/* The kernel wants to know of each write to it, and would not know of a device's. */
static uint8_t *map_events(int *events, size_t size)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS, .disabled = 1,
	};

	*events = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (*events < 0)
		return NULL;
	return memory_map_shared(*events, size);
}

TEST_F(window, file_that_wants_to_know_of_writes)
{
	const size_t size = 2 * page_size();
	int events;
	uint8_t *p = map_events(&events, size);

	if (!p)
		SKIP(return, "the kernel has no events to map");
	expect_refused(_metadata, self, p, size);
	memory_put(p, size);
	close(events);
}

TEST_F(v1, file_that_wants_to_know_of_writes)
{
	const size_t size = 2 * page_size();
	int events;
	uint8_t *p = map_events(&events, size);

	if (!p)
		SKIP(return, "the kernel has no events to map");
	v1_enable(_metadata, self);
	expect_v1_refused(_metadata, self, p, size, MAP_RW);
	memory_put(p, size);
	close(events);
}

static const uint64_t no_user_address[] = {
	1UL << 62, 0x7fffffffffff0000, 0xc000000000000000, 0xffffffffffff0000 - MIB,
};

TEST_F(window, addresses_beyond_the_users)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();

	for (size_t i = 0; i < sizeof(no_user_address) / sizeof(no_user_address[0]); i++) {
		uint8_t *p = (uint8_t *)no_user_address[i];
		int ret = spapr_register(self->fd, p, page_size());

		EXPECT_TRUE(ret == -EFAULT || ret == -EINVAL)
			TH_LOG("%p: %d", p, ret);
		EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, page_size(), MAP_RW));
	}
	EXPECT_EQ(-EINVAL, spapr_register(self->fd, (void *)-page_size(), 2 * page_size()));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, (void *)-page_size(), 2 * page_size(), MAP_RW));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

TEST_F(v1, addresses_beyond_the_users)
{
	const long pinned = balance_pinned_pages();

	v1_enable(_metadata, self);
	for (size_t i = 0; i < sizeof(no_user_address) / sizeof(no_user_address[0]); i++) {
		uint8_t *p = (uint8_t *)no_user_address[i];

		EXPECT_EQ(-EFAULT, spapr_map(self->fd, IOVA, p, page_size(), MAP_RW))
			TH_LOG("%p", p);
		EXPECT_EQ(-EFAULT, spapr_map(self->fd, IOVA, p, page_size(), MAP_RO))
			TH_LOG("%p", p);
	}
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, (void *)-page_size(), 2 * page_size(), MAP_RW));
	EXPECT_EQ(pinned + 1, balance_pinned_pages());
}

/* ---- Memory of two processes ---- */

/* Memory that is shared is the other process's as well. */
TEST_F(window, shared_with_a_child)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_map_file(-1, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
	int status;
	pid_t child;

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		pattern_fill(p, PAGE, 0x55);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_DEVICE_WRITES(self->edu, IOVA, p, self->scratch_iova, self->scratch);
	memory_put(p, size);
}

/* Pages that a child still shares until one of both writes: the device gets the parent's. */
static pid_t fork_and_wait(void)
{
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(1);
	}
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST_F(window, registered_after_a_fork)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_get(size);
	pid_t child;

	memset(p, 1, size);
	child = fork_and_wait();
	ASSERT_LT(0, child);
	expect_usable(_metadata, self, p, size);
	end_child(child);
	memory_put(p, size);
}

TEST_F(v1, mapped_for_reading_after_a_fork)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_get(size);
	pid_t child;

	v1_enable(_metadata, self);
	memset(p, 1, size);
	child = fork_and_wait();
	ASSERT_LT(0, child);
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RO));
	/* The process does not get another page by writing, for the device would not see it. */
	pattern_fill(p, PAGE, 0x55);
	EXPECT_OLD_PAGE(self, 0x55);
	end_child(child);
	memory_put(p, size);
}

TEST_HARNESS_MAIN

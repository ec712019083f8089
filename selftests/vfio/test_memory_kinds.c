// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of memory that a process can have: whether devices get it, and what they reach when the
 * process has lost it meanwhile.
 */
#include "v1_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PAGE		TCE_PAGE_4K
/* Where the tests map their memory, and where they map it again. */
#define IOVA		MIB
#define SECOND_IOVA	(2 * MIB)
#define PAGES		4
#define SHARED_HUGE	21

/* ---- Memory ---- */

/* A file without a name, of tmpfs. */
static int new_file(size_t size)
{
	int file = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (file < 0 || ftruncate(file, (off_t)size)) {
		perror("memfd_create");
		exit(1);
	}
	return file;
}

/* A file with a name, which is gone already. */
static int new_named_file(size_t size)
{
	char name[] = "/tmp/memory-XXXXXX";
	int file = mkstemp(name);

	if (file < 0 || unlink(name) || ftruncate(file, (off_t)size)) {
		perror(name);
		exit(1);
	}
	return file;
}

static uint8_t *map_file(int file, size_t size, int protection, int flags)
{
	void *p = mmap(NULL, size, protection, flags, file, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static uint8_t *map_shared(int file, size_t size)
{
	return map_file(file, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static bool is_zero(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i])
			return false;
	}
	return true;
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

/* ---- What is expected of it ---- */

/* v2: the device reaches both ends, and all that was taken for it is given back. */
static void expect_usable(struct __test_metadata *_metadata, FIXTURE_DATA(window) *self,
			  uint8_t *p, size_t size)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();
	const size_t last = size - PAGE;

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	EXPECT_EQ(locked + (long)(size / KIB), balance_locked_kib());
	EXPECT_EQ(pinned + (long)(size / page_size()), balance_pinned_pages());
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, p, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_READS(self->edu, IOVA + last, p + last, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

/* v2: it cannot be registered, and nothing of it stays behind. */
static void expect_refused(struct __test_metadata *_metadata, FIXTURE_DATA(window) *self,
			   const uint8_t *p, size_t size)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();

	EXPECT_EQ(-EFAULT, spapr_register(self->fd, p, size));
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_EQ(-ENOENT, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

/* v1: the same for memory that is mapped without having been registered. */
static void expect_v1_refused(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
			      const uint8_t *p, size_t size, uint32_t flags)
{
	const long locked = balance_locked_kib(), pinned = balance_pinned_pages();

	EXPECT_EQ(-EFAULT, spapr_map(self->fd, IOVA, p, size, flags));
	EXPECT_EQ(locked, balance_locked_kib());
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

static void v1_enable(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self)
{
	ASSERT_EQ(0, spapr_enable(self->fd));
	ASSERT_EQ(0, spapr_map(self->fd, self->scratch_iova, self->scratch, PAGE, MAP_RW));
}

static void expect_v1_usable(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
			     uint8_t *p, size_t size)
{
	const long pinned = balance_pinned_pages();
	const size_t last = size - PAGE;

	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_EQ(pinned + (long)(size / PAGE), balance_pinned_pages());
	EXPECT_DEVICE_WRITES(self->edu, IOVA, p, self->scratch_iova, self->scratch);
	EXPECT_DEVICE_READS(self->edu, IOVA + last, p + last, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
}

/* The device copies what is behind IOVA to the scratch page. */
#define EXPECT_OLD_PAGE(self, seed) do {							\
	memset((self)->scratch, 0, PAGE);							\
	EXPECT_EQ(0, edu_fetch((self)->edu, IOVA, PAGE));					\
	EXPECT_EQ(0, edu_store((self)->edu, (self)->scratch_iova, PAGE));			\
	EXPECT_TRUE(pattern_is((self)->scratch, PAGE, seed))					\
		TH_LOG("the device lost its page");						\
} while (0)

/* ---- What devices get ---- */

TEST_F(window, shared_file)
{
	const size_t size = PAGES * page_size();
	int file = new_named_file(size);
	uint8_t *p = map_shared(file, size), written[PAGE];

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
	int file = new_named_file(size);
	uint8_t *p = map_file(file, size, PROT_READ | PROT_WRITE, MAP_PRIVATE), written[PAGE];

	expect_usable(_metadata, self, p, size);
	/* Neither the process nor the device has written to the file. */
	ASSERT_EQ((ssize_t)PAGE, pread(file, written, PAGE, 0));
	EXPECT_TRUE(is_zero(written, PAGE));
	memory_put(p, size);
	close(file);
}

TEST_F(v1, files)
{
	const size_t size = PAGES * page_size();
	int file = new_named_file(size);
	uint8_t *shared = map_shared(file, size);
	uint8_t *private = map_file(file, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	v1_enable(_metadata, self);
	expect_v1_usable(_metadata, self, private, size);
	EXPECT_TRUE(is_zero(shared, size));
	expect_v1_usable(_metadata, self, shared, size);
	EXPECT_FALSE(is_zero(shared, size));
	memory_put(shared, size);
	memory_put(private, size);
	close(file);
}

/* A device that only reads gets pages of the process, not those of a file that others write to. */
TEST_F(v1, read_only_private_file)
{
	const size_t size = PAGES * page_size();
	int file = new_named_file(size);
	uint8_t *p = map_file(file, size, PROT_READ, MAP_PRIVATE), bytes[PAGE];

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
	uint8_t *p = map_file(-1, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);

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
	uint8_t *p = map_file(-1, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);

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
	int file = new_named_file(size);
	uint8_t *shared = map_file(file, size, PROT_READ, MAP_SHARED);
	uint8_t *private = map_file(file, size, PROT_READ, MAP_PRIVATE);

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
	int file = new_named_file(size / 2);
	uint8_t *p = map_shared(file, size);

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
	int file = new_named_file(size / 2);
	uint8_t *p = map_shared(file, size);

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
	return map_shared(*events, size);
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

/* ---- What the process loses while the device has it ---- */

/* Takes the memory away from the process, and returns where it finds new, empty pages then. */
typedef uint8_t *(*take_fn)(uint8_t *p, size_t size, int file);

static uint8_t *discard(uint8_t *p, size_t size, int file)
{
	(void)file;
	return madvise(p, size, MADV_DONTNEED) ? NULL : p;
}

static uint8_t *unmap_and_map_other(uint8_t *p, size_t size, int file)
{
	(void)file;
	munmap(p, size);
	return mmap(p, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static uint8_t *punch_hole(uint8_t *p, size_t size, int file)
{
	return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) ? NULL : p;
}

static uint8_t *truncate_and_extend(uint8_t *p, size_t size, int file)
{
	return ftruncate(file, 0) || ftruncate(file, (off_t)size) ? NULL : p;
}

/* The device writes what it has read from the old page, so that neither page may change. */
#define EXPECT_SEPARATE(self, fresh) do {							\
	EXPECT_EQ(0, edu_store((self)->edu, IOVA, PAGE));					\
	EXPECT_TRUE(is_zero(fresh, PAGE))							\
		TH_LOG("the device has reached the new page");					\
} while (0)

/* Both the pages that are mapped and what is mapped later are those that were registered. */
static void expect_old_pages(struct __test_metadata *_metadata, FIXTURE_DATA(window) *self,
			     uint8_t *p, size_t size, int file, take_fn take)
{
	const long pinned = balance_pinned_pages();
	uint8_t *fresh;

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	pattern_fill(p, PAGE, 0x55);
	fresh = take(p, size, file);
	ASSERT_NE(NULL, fresh);
	ASSERT_NE(MAP_FAILED, fresh);
	EXPECT_EQ(pinned + (long)(size / page_size()), balance_pinned_pages());
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_SEPARATE(self, fresh);
	ASSERT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
	/* What is there now is as good as any. */
	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, fresh, self->scratch_iova, self->scratch);
	memory_put(p, size);
}

TEST_F(window, discarded)
{
	const size_t size = PAGES * page_size();

	expect_old_pages(_metadata, self, memory_get(size), size, -1, discard);
}

TEST_F(window, unmapped_and_other_memory_mapped_there)
{
	const size_t size = PAGES * page_size();

	expect_old_pages(_metadata, self, memory_get(size), size, -1, unmap_and_map_other);
}

TEST_F(window, hole_in_a_file)
{
	const size_t size = PAGES * page_size();
	int file = new_file(size);

	expect_old_pages(_metadata, self, map_shared(file, size), size, file, punch_hole);
	close(file);
}

TEST_F(window, truncated_file)
{
	const size_t size = PAGES * page_size();
	int file = new_file(size);

	expect_old_pages(_metadata, self, map_shared(file, size), size, file, truncate_and_extend);
	close(file);
}

static void expect_v1_old_pages(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
				uint8_t *p, size_t size, int file, take_fn take)
{
	uint8_t *fresh;
	long pinned;

	v1_enable(_metadata, self);
	pinned = balance_pinned_pages();
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	pattern_fill(p, PAGE, 0x55);
	fresh = take(p, size, file);
	ASSERT_NE(NULL, fresh);
	ASSERT_NE(MAP_FAILED, fresh);
	EXPECT_OLD_PAGE(self, 0x55);
	EXPECT_SEPARATE(self, fresh);
	EXPECT_EQ(pinned + (long)(size / PAGE), balance_pinned_pages());
	/* What is mapped now is what is there now. */
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, fresh, self->scratch_iova, self->scratch);
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
	memory_put(p, size);
}

TEST_F(v1, discarded)
{
	const size_t size = PAGES * page_size();

	expect_v1_old_pages(_metadata, self, memory_get(size), size, -1, discard);
}

TEST_F(v1, truncated_file)
{
	const size_t size = PAGES * page_size();
	int file = new_file(size);

	expect_v1_old_pages(_metadata, self, map_shared(file, size), size, file, truncate_and_extend);
	close(file);
}

/* The pages go with the process's new address, the registration stays at the old one. */
TEST_F(window, moved)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_get(size), *moved = memory_get(size);

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	ASSERT_EQ(moved, mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, moved));
	EXPECT_DEVICE_WRITES(self->edu, IOVA, moved, self->scratch_iova, self->scratch);
	EXPECT_EQ(-EINVAL, spapr_map(self->fd, SECOND_IOVA, moved, size, MAP_RW));
	EXPECT_EQ(-ENOENT, spapr_unregister(self->fd, moved, size));
	/* The same pages at both addresses. */
	ASSERT_EQ(0, spapr_register(self->fd, moved, size));
	ASSERT_EQ(0, spapr_map(self->fd, SECOND_IOVA, moved, size, MAP_RW));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, size));
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_DEVICE_WRITES(self->edu, SECOND_IOVA, moved, self->scratch_iova, self->scratch);
	memory_put(moved, size);
}

/* The device keeps what it was given when the process could still write. */
TEST_F(window, made_read_only)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = memory_get(size);

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	ASSERT_EQ(0, mprotect(p, size, PROT_READ));
	ASSERT_EQ(0, spapr_map(self->fd, IOVA, p, size, MAP_RW));
	pattern_fill(self->scratch, PAGE, 0x31);
	EXPECT_EQ(0, edu_fetch(self->edu, self->scratch_iova, PAGE));
	EXPECT_EQ(0, edu_store(self->edu, IOVA, PAGE));
	EXPECT_TRUE(pattern_is(p, PAGE, 0x31));
	memory_put(p, size);
}

/* A file that nobody can write to any more, not even a device. */
TEST_F(window, sealed_file)
{
	const size_t size = PAGES * page_size();
	int file = new_file(size);
	uint8_t *p = map_shared(file, size);

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	memory_put(p, size);
	EXPECT_EQ(-1, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	p = map_file(file, size, PROT_READ, MAP_PRIVATE);
	expect_refused(_metadata, self, p, size);
	memory_put(p, size);
	close(file);
}

struct resizer {
	atomic_bool stop;
	size_t size;
	int file;
};

static void *resize_again_and_again(void *arg)
{
	struct resizer *r = arg;

	while (!atomic_load(&r->stop)) {
		if (ftruncate(r->file, 0) || ftruncate(r->file, (off_t)r->size))
			return "ftruncate";
	}
	return NULL;
}

#define RESIZED_SIZE	(2 * MIB)
#define RESIZE_ROUNDS	50

/* All or nothing, whichever it was. */
TEST_F(window, truncated_while_it_is_registered)
{
	struct resizer r = { .size = RESIZED_SIZE, .file = new_file(RESIZED_SIZE) };
	const long pinned = balance_pinned_pages();
	uint8_t *p = map_shared(r.file, r.size);
	pthread_t thread;
	void *failed;

	ASSERT_EQ(0, pthread_create(&thread, NULL, resize_again_and_again, &r));
	for (int i = 0; i < RESIZE_ROUNDS; i++) {
		int ret = spapr_register(self->fd, p, r.size);

		EXPECT_TRUE(!ret || ret == -EFAULT)
			TH_LOG("returned %d", ret);
		EXPECT_EQ(ret ? -EINVAL : 0, spapr_map(self->fd, IOVA, p, r.size, MAP_RW));
		EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, r.size));
		EXPECT_EQ(ret ? -ENOENT : 0, spapr_unregister(self->fd, p, r.size));
	}
	atomic_store(&r.stop, true);
	pthread_join(thread, &failed);
	EXPECT_EQ(NULL, failed);
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
	memory_put(p, r.size);
	close(r.file);
}

TEST_F(v1, truncated_while_it_is_mapped)
{
	struct resizer r = { .size = RESIZED_SIZE, .file = new_file(RESIZED_SIZE) };
	uint8_t *p = map_shared(r.file, r.size);
	pthread_t thread;
	void *failed;
	long pinned;

	v1_enable(_metadata, self);
	pinned = balance_pinned_pages();
	ASSERT_EQ(0, pthread_create(&thread, NULL, resize_again_and_again, &r));
	for (int i = 0; i < RESIZE_ROUNDS; i++) {
		int ret = spapr_map(self->fd, IOVA, p, r.size, MAP_RW);

		EXPECT_TRUE(!ret || ret == -EFAULT)
			TH_LOG("returned %d", ret);
		EXPECT_EQ(0, spapr_unmap(self->fd, IOVA, r.size));
	}
	atomic_store(&r.stop, true);
	pthread_join(thread, &failed);
	EXPECT_EQ(NULL, failed);
	EXPECT_EQ(pinned, balance_pinned_settled(pinned));
	memory_put(p, r.size);
	close(r.file);
}

/* ---- Memory that comes from a thread ---- */

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

/* ---- Memory of two processes ---- */

/* Memory that is shared is the other process's as well. */
TEST_F(window, shared_with_a_child)
{
	const size_t size = PAGES * page_size();
	uint8_t *p = map_file(-1, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
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

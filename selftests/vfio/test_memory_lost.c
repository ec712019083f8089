// SPDX-License-Identifier: GPL-2.0-only
/* What devices reach when the process has lost memory that was registered or mapped. */
#include "memory_fixture.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

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
	EXPECT_TRUE(memory_is_zero(fresh, PAGE))						\
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
	int file = memory_file(size);

	expect_old_pages(_metadata, self, memory_map_shared(file, size), size, file, punch_hole);
	close(file);
}

TEST_F(window, truncated_file)
{
	const size_t size = PAGES * page_size();
	int file = memory_file(size);

	expect_old_pages(_metadata, self, memory_map_shared(file, size), size, file,
			 truncate_and_extend);
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
	int file = memory_file(size);

	expect_v1_old_pages(_metadata, self, memory_map_shared(file, size), size, file,
			    truncate_and_extend);
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
	int file = memory_file(size);
	uint8_t *p = memory_map_shared(file, size);

	ASSERT_EQ(0, spapr_register(self->fd, p, size));
	memory_put(p, size);
	EXPECT_EQ(-1, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, spapr_unregister(self->fd, p, size));
	EXPECT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	p = memory_map_file(file, size, PROT_READ, MAP_PRIVATE);
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
	struct resizer r = { .size = RESIZED_SIZE, .file = memory_file(RESIZED_SIZE) };
	const long pinned = balance_pinned_pages();
	uint8_t *p = memory_map_shared(r.file, r.size);
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
	struct resizer r = { .size = RESIZED_SIZE, .file = memory_file(RESIZED_SIZE) };
	uint8_t *p = memory_map_shared(r.file, r.size);
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

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM looks for the tables of a container itself, in the groups that it is told of: what QEMU does
 * in KVM's VFIO device for each window. No guest runs here; selftests/kvm has some.
 */
#include "fixture.h"
#include "race.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LIOBN		0x80000000UL
#define SECOND_WINDOW	(1UL << 59)
#define RACE_SECONDS	4

/* The virtual machine; threads need it, too. */
static struct {
	int fd;
	int device;		/* KVM's VFIO device */
	_Atomic int table;	/* that one thread attaches and the other closes */
} vm;

/* As the kernel's ioctl, but -errno. */
static int kvm_ioctl(int fd, unsigned long request, const void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int vm_create(void)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), ret;

	if (kvm < 0)
		return -errno;
	vm.fd = kvm_ioctl(kvm, KVM_CREATE_VM, NULL);
	close(kvm);
	if (vm.fd < 0)
		return vm.fd;
	ret = kvm_ioctl(vm.fd, KVM_CREATE_DEVICE, &device);
	vm.device = ret ? -1 : (int)device.fd;
	return ret;
}

static void vm_close(void)
{
	if (vm.device >= 0)
		close(vm.device);
	if (vm.fd >= 0)
		close(vm.fd);
	vm.device = vm.fd = -1;
}

static int set_attribute(uint64_t attribute, const void *value)
{
	struct kvm_device_attr arg = {
		.group = KVM_DEV_VFIO_GROUP, .attr = attribute, .addr = (uintptr_t)value,
	};

	return kvm_ioctl(vm.device, KVM_SET_DEVICE_ATTR, &arg);
}

static int add_group(int group_fd)
{
	const int32_t fd = group_fd;

	return set_attribute(KVM_DEV_VFIO_GROUP_ADD, &fd);
}

/* The guest's table of a window; returns its file descriptor. */
static int create_table(uint64_t liobn, uint32_t page_shift, uint64_t start, uint64_t size)
{
	const struct kvm_create_spapr_tce_64 arg = {
		.liobn = liobn, .page_shift = page_shift,
		.offset = start >> page_shift, .size = size >> page_shift,
	};

	return kvm_ioctl(vm.fd, KVM_CREATE_SPAPR_TCE_64, &arg);
}

static int set_table(int group_fd, int table)
{
	const struct kvm_vfio_spapr_tce arg = { .groupfd = group_fd, .tablefd = table };

	return set_attribute(KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &arg);
}

/* What KVM says of a table of this kind for the group's windows. */
static int try_table(int group_fd, uint32_t page_shift, uint64_t start, uint64_t size)
{
	int table = create_table(LIOBN, page_shift, start, size), ret;

	if (table < 0)
		return table;
	ret = set_table(group_fd, table);
	close(table);
	return ret;
}

FIXTURE(kvm)
{
	struct balance balance;
	struct spapr s;
	int fd;
	int group;
};

FIXTURE_SETUP(kvm)
{
	spapr_init(&self->s);
	vm.fd = vm.device = vm.table = -1;
	balance_take(&self->balance);
	if (access("/dev/kvm", F_OK))
		SKIP(return, "there is no KVM");
	ASSERT_EQ(0, vm_create());
	ASSERT_EQ(0, spapr_open(&self->s, 1));
	self->fd = self->s.container;
	self->group = self->s.group_fd[0];
	ASSERT_EQ(0, add_group(self->group));
}

FIXTURE_TEARDOWN(kvm)
{
	vm_close();
	CHECK_BALANCE(&self->s, &self->balance);
}

TEST_F(kvm, qemu_3_finds_the_table_of_each_window)
{
	uint64_t start;

	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE));
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE));

	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_64K, GIB, 2, &start));
	ASSERT_EQ(SECOND_WINDOW, start);
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_64K, start, GIB));

	ASSERT_EQ(0, spapr_remove(self->fd, start));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_64K, start, GIB));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE));
}

/* The guest's table begins at the same address, is no larger, and has pages that are no smaller. */
TEST_F(kvm, qemu_3_only_a_table_that_fits)
{
	uint64_t start;

	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_64K, GIB, 1, &start));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE / 2));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, 0, WINDOW_SIZE + TCE_PAGE_4K));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, TCE_PAGE_4K, MIB));
	EXPECT_EQ(0, try_table(self->group, TCE_SHIFT_64K, 0, WINDOW_SIZE));
	EXPECT_EQ(-EINVAL, try_table(self->group, TCE_SHIFT_4K, start, GIB));
}

/* KVM has a reference to the table: who removes the window or leaves does not wait for KVM. */
TEST_F(kvm, window_is_removed_while_kvm_has_its_table)
{
	uint64_t start;
	int table;

	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	table = create_table(LIOBN, TCE_SHIFT_4K, 0, WINDOW_SIZE);
	ASSERT_LE(0, table);
	ASSERT_EQ(0, set_table(self->group, table));
	EXPECT_EQ(0, spapr_remove(self->fd, 0));
	ASSERT_EQ(0, spapr_create(self->fd, TCE_SHIFT_4K, WINDOW_SIZE, 2, &start));
	EXPECT_EQ(0, set_table(self->group, table));
	spapr_close(&self->s);
	close(table);
}

static void *attach_tables(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int table;

	while (!atomic_load(&race->stop)) {
		table = create_table(LIOBN, TCE_SHIFT_4K, 0, WINDOW_SIZE);
		/* The last one is not gone yet. */
		if (table == -EBUSY)
			continue;
		if (table < 0)
			race_note(race, table, "create_table");
		atomic_store(&vm.table, table);
		EXPECT_ONE_OF(race, set_table(race->s->group_fd[0], table), 0, -EBADF);
	}
	return NULL;
}

static void *close_tables(void *arg)
{
	struct race *race = ((struct racer *)arg)->race;
	int table;

	while (!atomic_load(&race->stop)) {
		table = atomic_exchange(&vm.table, -1);
		if (table >= 0)
			close(table);
	}
	return NULL;
}

TEST_F(kvm, past_11_table_is_closed_while_it_is_attached)
{
	struct race race;

	race_init(&race, &self->s, NULL, 0);
	ASSERT_EQ(0, spapr_create_at_0(self->fd, WINDOW_SIZE, 1));
	RACE(&race, RACE_SECONDS, attach_tables, close_tables);
	if (vm.table >= 0)
		close(vm.table);
}

TEST_HARNESS_MAIN

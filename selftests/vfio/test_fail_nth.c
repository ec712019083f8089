// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each call of the interface, from opening the container to closing it: the first allocation or copy in
 * it fails, then the second, then the third, until there are none left (/proc/thread-self/fail-nth). A
 * call that has failed leaves nothing pinned or charged and succeeds when it is made again, and memory
 * is not lost. What each call answered goes to the console. Needs a kernel with fault injection.
 *
 * All that runs in the task counts: the VFIO core, the kernel's own code for tables, KVM.
 */
#include "fixture.h"
#include "kvm_guest.h"
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define PAGE		TCE_PAGE_4K
#define LIOBN		0x80000000UL
#define INJECTION	"/sys/kernel/debug/"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* More than any call has. */
#define MOST_FAILURES	1000
/* Seconds. Each failure is followed by what takes the call back, which may be all calls. */
#define LIMIT		240

struct course {
	struct spapr s;
	unsigned long type;
	int groups;
	int device;
	uint8_t *buffer;
	size_t size;
	uint64_t window[2];
	struct guest guest;
	int table;		/* the guest's */
};

/* A call and the one that takes it back: 0, -errno, or what else a hypercall answers. */
struct step {
	const char *name;
	int (*go)(struct course *c);
	/* Has a name if it is a call of the interface, which is tried as well. */
	const char *back_name;
	int (*back)(struct course *c);
	/* A call that fails may have made the default window before, with its charge. */
	bool makes_window;
};

/* --- the calls ---------------------------------------------------------------------------- */

static int close_fd(int *fd)
{
	const int ret = close(*fd);

	*fd = -1;
	return ret ? -errno : 0;
}

static int open_container(struct course *c)
{
	c->s.container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	return c->s.container < 0 ? -errno : 0;
}

static int close_container(struct course *c)
{
	return close_fd(&c->s.container);
}

static int open_group(struct course *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", c->s.group[0].number);
	c->s.group_fd[0] = open(path, O_RDWR | O_CLOEXEC);
	return c->s.group_fd[0] < 0 ? -errno : 0;
}

static int close_group(struct course *c)
{
	return close_fd(&c->s.group_fd[0]);
}

static int nothing(struct course *c)
{
	(void)c;
	return 0;
}

static int check_extension(struct course *c)
{
	const int ret = spapr_check_extension(c->s.container, c->type);

	return ret < 0 ? ret : ret - 1;
}

static int attach_first(struct course *c)
{
	return spapr_attach(&c->s, 0);
}

static int detach_first(struct course *c)
{
	return spapr_detach(&c->s, 0);
}

static int set_iommu(struct course *c)
{
	return spapr_set_iommu(c->s.container, c->type);
}

static int detach_and_attach_first(struct course *c)
{
	const int ret = detach_first(c);

	return ret ? ret : attach_first(c);
}

static int attach_second(struct course *c)
{
	return spapr_attach(&c->s, 1);
}

static int detach_second(struct course *c)
{
	return spapr_detach(&c->s, 1);
}

/* The container anew, with its groups, and no window yet. */
static int reopen(struct course *c)
{
	int ret;

	spapr_close(&c->s);
	if (spapr_discover(c->s.group, SPAPR_MAX_GROUPS) != SPAPR_MAX_GROUPS)
		return -ENODEV;
	ret = open_container(c);
	if (!ret)
		ret = attach_first(c);
	if (!ret)
		ret = set_iommu(c);
	return ret || c->groups == 1 ? ret : attach_second(c);
}

static int get_device(struct course *c)
{
	c->device = ioctl(c->s.group_fd[0], VFIO_GROUP_GET_DEVICE_FD, c->s.group[0].device);
	return c->device < 0 ? -errno : 0;
}

static int close_device(struct course *c)
{
	return close_fd(&c->device);
}

static int get_info(struct course *c)
{
	struct vfio_iommu_spapr_tce_info info;

	return spapr_get_info(c->s.container, &info);
}

static int get_pe_state(struct course *c)
{
	return spapr_eeh(c->s.container, VFIO_EEH_PE_GET_STATE);
}

static int remove_first_window(struct course *c)
{
	return spapr_remove(c->s.container, c->window[0]);
}

static int create_first_window(struct course *c)
{
	return spapr_create(c->s.container, TCE_SHIFT_4K, WINDOW_SIZE, 1, &c->window[0]);
}

static int create_second_window(struct course *c)
{
	return spapr_create(c->s.container, TCE_SHIFT_4K, 4 * spapr_leaf_reach(), 2, &c->window[1]);
}

static int remove_second_window(struct course *c)
{
	return spapr_remove(c->s.container, c->window[1]);
}

static int register_buffer(struct course *c)
{
	return spapr_register(c->s.container, c->buffer, c->size);
}

static int unregister_buffer(struct course *c)
{
	return spapr_unregister(c->s.container, c->buffer, c->size);
}

static int map_first_window(struct course *c)
{
	return spapr_map(c->s.container, c->window[0], c->buffer, c->size, MAP_RW);
}

static int unmap_first_window(struct course *c)
{
	return spapr_unmap(c->s.container, c->window[0], c->size);
}

/* A window in which nothing has been mapped yet, again. */
static int renew_first_window(struct course *c)
{
	const int ret = remove_first_window(c);

	return ret ? ret : create_first_window(c);
}

static int renew_second_window(struct course *c)
{
	const int ret = remove_second_window(c);

	return ret ? ret : create_second_window(c);
}

/* Over the end of a leaf: each may have to be allocated. */
static int map_second_window(struct course *c)
{
	return spapr_map(c->s.container, c->window[1] + spapr_leaf_reach() - PAGE, c->buffer, 2 * PAGE,
			 MAP_RW);
}

static int unmap_second_window(struct course *c)
{
	return spapr_unmap(c->s.container, c->window[1] + spapr_leaf_reach() - PAGE, 2 * PAGE);
}

static int enable(struct course *c)
{
	return spapr_enable(c->s.container);
}

static int disable(struct course *c)
{
	return spapr_disable(c->s.container);
}

static int reopen_and_register(struct course *c)
{
	const int ret = reopen(c);

	return ret ? ret : register_buffer(c);
}

static int reopen_and_enable(struct course *c)
{
	const int ret = reopen(c);

	return ret ? ret : enable(c);
}

static int get_type1_info(struct course *c)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };

	return spapr_ioctl(c->s.container, VFIO_IOMMU_GET_INFO, &info);
}

/* --- KVM ---------------------------------------------------------------------------------- */

static int tell_group(struct course *c)
{
	return guest_add_group(&c->guest, c->s.group_fd[0]);
}

static int close_table(struct course *c)
{
	return close_fd(&c->table);
}

/* The guest's table of a window, and the window's table for it. */
static int attach_table(struct course *c)
{
	int ret;

	c->table = guest_create_table(&c->guest, LIOBN, TCE_SHIFT_4K, c->window[0], WINDOW_SIZE);
	if (c->table < 0)
		return c->table;
	ret = guest_set_table(&c->guest, c->s.group_fd[0], c->table);
	if (ret)
		close_table(c);
	return ret;
}

static int untell_group(struct course *c)
{
	return guest_remove_group(&c->guest, c->s.group_fd[0]);
}

/* KVM WARNs when a group goes that never had a table. */
static int use_table_once(struct course *c)
{
	const int ret = attach_table(c);

	return ret ? ret : close_table(c);
}

static int use_and_untell_group(struct course *c)
{
	const int ret = use_table_once(c);

	return ret ? ret : untell_group(c);
}

static int tell_and_use_group(struct course *c)
{
	const int ret = tell_group(c);

	return ret ? ret : use_table_once(c);
}

static int put_tce(struct course *c)
{
	return (int)guest_put_tce(&c->guest, LIOBN, c->window[0], GUEST_MEMORY | TCE_RW);
}

static int stuff_tce(struct course *c)
{
	return (int)guest_stuff_tce(&c->guest, LIOBN, c->window[0], 1);
}

/* --- what is tried, in this order ------------------------------------------------------------ */

/* Of any container. The device is closed for what comes then. */
static const struct step first_steps[] = {
	{ "open of the container", open_container, "its close", close_container, false },
	{ "open of the group", open_group, "its close", close_group, false },
	{ "SET_CONTAINER", attach_first, "UNSET_CONTAINER", detach_first, false },
	{ "CHECK_EXTENSION", check_extension, NULL, nothing, false },
	{ "SET_IOMMU", set_iommu, NULL, detach_and_attach_first, false },
	{ "GET_INFO", get_info, NULL, nothing, false },
	{ "EEH_PE_OP", get_pe_state, NULL, nothing, false },
	{ "GET_DEVICE_FD", get_device, "its close", close_device, false },
};

static const struct step second_group_steps[] = {
	{ "SET_CONTAINER, second group", attach_second, "UNSET_CONTAINER, second group", detach_second,
	  false },
};

static const struct step v2_steps[] = {
	{ "REGISTER_MEMORY", register_buffer, "UNREGISTER_MEMORY", unregister_buffer, false },
	{ "MAP_DMA, the first", map_first_window, NULL, reopen_and_register, true },
	{ "UNMAP_DMA, default window", unmap_first_window, NULL, map_first_window, false },
	{ "TCE_REMOVE, default window", remove_first_window, NULL, reopen_and_register, true },
	{ "TCE_CREATE", create_first_window, "TCE_REMOVE", remove_first_window, false },
	{ "TCE_CREATE, two levels", create_second_window, "TCE_REMOVE, two levels", remove_second_window,
	  false },
	{ "MAP_DMA again", map_first_window, "UNMAP_DMA", unmap_first_window, false },
	{ "MAP_DMA", map_first_window, NULL, renew_first_window, false },
	{ "MAP_DMA again, two levels", map_second_window, "UNMAP_DMA, two levels", unmap_second_window,
	  false },
	{ "MAP_DMA, two levels", map_second_window, NULL, renew_second_window, false },
};

static const struct step second_group_again[] = {
	{ "UNSET_CONTAINER, windows", detach_second, "SET_CONTAINER, windows", attach_second, false },
};

static const struct step kvm_steps[] = {
	{ "KVM_DEV_VFIO_GROUP_ADD", tell_group, NULL, use_and_untell_group, false },
	{ "KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE", attach_table, "close of the guest's table", close_table,
	  false },
	/* Not the first one, for which KVM has no page yet: it WARNs when it gets none. */
	{ "H_PUT_TCE again", put_tce, "H_STUFF_TCE", stuff_tce, false },
};

static const struct step last_kvm_steps[] = {
	{ "KVM_DEV_VFIO_GROUP_DEL", untell_group, NULL, tell_and_use_group, false },
};

static const struct step v1_steps[] = {
	{ "SET_IOMMU", set_iommu, NULL, detach_and_attach_first, false },
	{ "GET_INFO", get_info, NULL, nothing, false },
	{ "ENABLE", enable, "DISABLE", disable, false },
	{ "MAP_DMA, the first", map_first_window, NULL, reopen_and_enable, true },
	{ "UNMAP_DMA", unmap_first_window, "MAP_DMA", map_first_window, false },
};

/* --- making calls fail -------------------------------------------------------------------- */

/* Allocations that may sleep fail, too, and none of it is told in the kernel log. */
static void set_up_injection(void)
{
	balance_write(INJECTION "failslab/ignore-gfp-wait", "N");
	balance_write(INJECTION "failslab/verbose", "0");
	balance_write(INJECTION "fail_page_alloc/ignore-gfp-wait", "N");
	balance_write(INJECTION "fail_page_alloc/min-order", "0");
	balance_write(INJECTION "fail_page_alloc/verbose", "0");
	balance_write(INJECTION "fail_usercopy/verbose", "0");
}

static void arm(int fd, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	if (write(fd, text, strlen(text)) < 0)
		perror("fail-nth");
}

/* Whether it has failed. What is left to count may make these calls fail, too. */
static bool disarm(int fd)
{
	char left;
	const bool failed = pread(fd, &left, 1, 0) == 1 && left == '0';

	while (write(fd, "0", 1) < 0)
		;
	return failed;
}

/* --- the table of it ----------------------------------------------------------------------- */

/* What each failure of a call led to: runs of the same are one item. */
struct answers {
	char text[512];
	int last;
	unsigned int first, n;
};

static const char *name_of(int answer)
{
	if (!answer)
		return "done";
	if (answer == H_TOO_HARD)
		return "H_TOO_HARD";
	return answer < 0 ? strerrorname_np(-answer) : "?";
}

static void answers_flush(struct answers *a)
{
	const size_t used = strlen(a->text);
	char *end = a->text + used;
	const size_t room = sizeof(a->text) - used;

	if (!a->n)
		snprintf(end, room, " none");
	else if (a->first == a->n)
		snprintf(end, room, " %u %s", a->n, name_of(a->last));
	else
		snprintf(end, room, " %u-%u %s", a->first, a->n, name_of(a->last));
}

static void answers_add(struct answers *a, int answer)
{
	if (a->n && answer != a->last) {
		answers_flush(a);
		a->first = a->n + 1;
	} else if (!a->n) {
		a->first = 1;
	}
	a->last = answer;
	a->n++;
}

static const struct step type1_steps[] = {
	{ "GET_INFO of type 1, the first", get_type1_info, NULL, reopen, false },
	{ "MAP_DMA of type 1, the first", map_first_window, NULL, reopen, false },
	{ "UNMAP_DMA of type 1", unmap_first_window, "MAP_DMA of type 1", map_first_window, false },
};

/* --- the sweep ------------------------------------------------------------------------------ */

FIXTURE(fail_nth)
{
	struct balance balance;
	struct course course;
	char parameters[64];	/* that the module was loaded with */
	int fd;			/* fail-nth */
	unsigned int failures;
};

FIXTURE_VARIANT(fail_nth)
{
	const char *parameters;
	int groups;
};

FIXTURE_VARIANT_ADD(fail_nth, our_tables)
{
	.parameters = "",
	.groups = 1,
};

FIXTURE_VARIANT_ADD(fail_nth, our_tables_2_groups)
{
	.parameters = "",
	.groups = 2,
};

FIXTURE_VARIANT_ADD(fail_nth, kernel_tables)
{
	.parameters = "powernv=kernel",
	.groups = 1,
};

FIXTURE_VARIANT_ADD(fail_nth, kernel_tables_2_groups)
{
	.parameters = "powernv=kernel",
	.groups = 2,
};

/* What has been lost until now is not for this test. */
static void forget_leaks(void)
{
	balance_write(KMEMLEAK, "scan");
	balance_write(KMEMLEAK, "clear");
}

FIXTURE_SETUP(fail_nth)
{
	struct course *c = &self->course;

	spapr_init(&c->s);
	guest_init(&c->guest);
	c->device = c->table = -1;
	self->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->fd < 0)
		SKIP(return, "the kernel has no fault injection");
	if (spapr_is_partition())
		SKIP(return, "partitions have windows of other kinds");
	module_parameters(self->parameters, sizeof(self->parameters));
	if (!self->parameters[0] && variant->parameters[0])
		SKIP(return, "the stock driver has one kind of tables");
	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load(variant->parameters));
	set_up_injection();
	forget_leaks();
	balance_take(&self->balance);
	c->groups = variant->groups;
	c->size = BUFFER_PAGES * page_size();
	c->buffer = memory_get(c->size);
	ASSERT_EQ(SPAPR_MAX_GROUPS, spapr_discover(c->s.group, SPAPR_MAX_GROUPS));
}

/* What the kernel says where it has no memory for a table of its own, or a region, with a backtrace. */
static const char *const of_the_kernel[] = {
	"Failed to allocate a TCE memory", "vmalloc error", "Call Trace", ";[c0", NULL,
};

FIXTURE_TEARDOWN(fail_nth)
{
	struct course *c = &self->course;

	disarm(self->fd);
	close(self->fd);
	if (c->table >= 0)
		close_table(c);
	guest_close(&c->guest);
	if (c->device >= 0)
		close_device(c);
	memory_put(c->buffer, c->size);
	balance_expected = of_the_kernel;
	CHECK_BALANCE(&c->s, &self->balance);
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(0, module_load(self->parameters));
}

/* Regions of earlier calls are unpinned after RCU, for which this system call waits, too. */
static long pinned_at_rest(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	return balance_pinned_pages();
}

/* UNMAP_DMA of type 1 answers how much that was: where it cannot, it has been done, as in the kernel's own. */
static bool may_be_done(const struct course *c, int (*call)(struct course *c), int ret)
{
	return c->type == VFIO_TYPE1v2_IOMMU && call == unmap_first_window && ret == -EFAULT;
}

/* Makes a call with every failure there is in it, until it has been done without one. */
static void sweep(struct __test_metadata *_metadata, FIXTURE_DATA(fail_nth) *self, const char *name,
		  int (*call)(struct course *c), int (*undo)(struct course *c), bool makes_window)
{
	struct course *c = &self->course;
	struct answers answers = {};
	long pinned, locked;

	/* What is allocated once only is there then. */
	ASSERT_EQ(0, call(c)) TH_LOG("%s", name);
	ASSERT_EQ(0, undo(c)) TH_LOG("%s, taken back", name);
	pinned = pinned_at_rest();
	locked = balance_locked_kib();
	for (unsigned int nth = 1; nth < MOST_FAILURES; nth++) {
		int ret;

		arm(self->fd, nth);
		ret = call(c);
		if (!disarm(self->fd)) {
			ASSERT_EQ(0, ret) TH_LOG("%s, with nothing failing", name);
			answers_flush(&answers);
			printf("# fail-nth: %s:%s\n", name, answers.text);
			return;
		}
		answers_add(&answers, ret);
		self->failures++;
		if (ret && !may_be_done(c, call, ret)) {
			EXPECT_EQ(pinned, balance_pinned_settled(pinned))
				TH_LOG("%s, failure %u: %s", name, nth, name_of(ret));
			if (!makes_window) {
				EXPECT_EQ(locked, balance_locked_kib())
					TH_LOG("%s, failure %u: %s", name, nth, name_of(ret));
			}
		}
		if (ret)
			ASSERT_EQ(0, call(c)) TH_LOG("%s, again after failure %u", name, nth);
		ASSERT_EQ(0, undo(c)) TH_LOG("%s, taken back after failure %u", name, nth);
		ASSERT_EQ(pinned, balance_pinned_settled(pinned))
			TH_LOG("%s, taken back after failure %u", name, nth);
		ASSERT_EQ(locked, balance_locked_kib())
			TH_LOG("%s, taken back after failure %u", name, nth);
	}
	ASSERT_TRUE(false) TH_LOG("%s never ends", name);
}

static void take_step(struct __test_metadata *_metadata, FIXTURE_DATA(fail_nth) *self,
		      const struct step *step)
{
	sweep(_metadata, self, step->name, step->go, step->back, step->makes_window);
	if (!step->back_name)
		return;
	sweep(_metadata, self, step->back_name, step->back, step->go, step->makes_window);
	ASSERT_EQ(0, step->go(&self->course)) TH_LOG("%s, at last", step->name);
}

#define TAKE_STEPS(steps) do {							\
	for (size_t i = 0; i < sizeof(steps) / sizeof((steps)[0]); i++)		\
		take_step(_metadata, self, &(steps)[i]);			\
} while (0)

/* The device can do what the container says, after all that. */
#define EXPECT_DMA_WORKS() do {								\
	struct course *c = &self->course;						\
	uint8_t *scratch = c->buffer + c->size - PAGE;					\
											\
	ASSERT_EQ(0, spapr_open_device(&c->s, 0));					\
	EXPECT_DEVICE_WRITES(&c->s.edu[0], c->window[0], c->buffer,			\
			     c->window[0] + c->size - PAGE, scratch);			\
	edu_close(&c->s.edu[0]);							\
} while (0)

/* All that there is, closed at once. */
static int close_all(struct course *c)
{
	spapr_close(&c->s);
	return 0;
}

static int open_all(struct course *c)
{
	int ret = reopen_and_register(c);

	if (!ret)
		ret = remove_first_window(c);
	if (!ret)
		ret = create_first_window(c);
	if (!ret)
		ret = create_second_window(c);
	if (!ret)
		ret = map_first_window(c);
	return ret ? ret : map_second_window(c);
}

static int open_all_v1(struct course *c)
{
	const int ret = reopen_and_enable(c);

	return ret ? ret : map_first_window(c);
}

static int open_all_type1(struct course *c)
{
	const int ret = reopen(c);

	return ret ? ret : map_first_window(c);
}

/* How much memory the kernel finds lost that this driver, and not the platform's code, has lost. */
static unsigned int count_leaks(void)
{
	bool in_one = false, kernels = false;
	unsigned int leaks = 0;
	char line[256];
	FILE *f;

	/* A loss is one when it has been there for 5 s. */
	sleep(6);
	balance_write(KMEMLEAK, "scan");
	balance_write(KMEMLEAK, "scan");
	f = fopen(KMEMLEAK, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "unreferenced object", 19)) {
			leaks += in_one && !kernels;
			in_one = true;
			kernels = false;
		}
		printf("# %s", line);
		/* It loses the table that it makes for a group which is given back, if that fails. */
		kernels |= strstr(line, "pnv_pci_ioda2_setup_default_config") != NULL;
	}
	leaks += in_one && !kernels;
	fclose(f);
	balance_write(KMEMLEAK, "clear");
	return leaks;
}

#define EXPECT_NO_LEAKS_AND_FAILURES(least) do {					\
	EXPECT_EQ(0, count_leaks());							\
	EXPECT_LT(least, self->failures);						\
	TH_LOG("%u failures", self->failures);						\
} while (0)

TEST_F_TIMEOUT(fail_nth, open_and_close, LIMIT)
{
	struct course *c = &self->course;

	if (c->groups > 1)
		SKIP(return, "the first calls have one group");
	c->type = VFIO_SPAPR_TCE_v2_IOMMU;
	TAKE_STEPS(first_steps);
	EXPECT_NO_LEAKS_AND_FAILURES(50);
}

TEST_F_TIMEOUT(fail_nth, v2, LIMIT)
{
	struct course *c = &self->course;

	c->type = VFIO_SPAPR_TCE_v2_IOMMU;
	ASSERT_EQ(0, reopen(c));
	if (c->groups > 1) {
		ASSERT_EQ(0, detach_second(c));
		TAKE_STEPS(second_group_steps);
	}
	TAKE_STEPS(v2_steps);
	if (c->groups > 1)
		TAKE_STEPS(second_group_again);
	EXPECT_DMA_WORKS();
	sweep(_metadata, self, "close of it all", close_all, open_all, false);
	EXPECT_NO_LEAKS_AND_FAILURES(50);
}

TEST_F_TIMEOUT(fail_nth, v1, LIMIT)
{
	struct course *c = &self->course;

	if (c->groups > 1)
		SKIP(return, "v1 has one group");
	c->type = VFIO_SPAPR_TCE_IOMMU;
	ASSERT_EQ(0, reopen(c));
	ASSERT_EQ(0, detach_and_attach_first(c));
	TAKE_STEPS(v1_steps);
	ASSERT_EQ(0, map_first_window(c));
	EXPECT_DMA_WORKS();
	sweep(_metadata, self, "close of it all", close_all, open_all_v1, false);
	EXPECT_NO_LEAKS_AND_FAILURES(10);
}

TEST_F_TIMEOUT(fail_nth, type1, LIMIT)
{
	struct course *c = &self->course;

	if (!self->parameters[0])
		SKIP(return, "the driver has no containers of type 1");
	balance_write("/sys/module/" MODULE "/parameters/type1", "1");
	c->type = VFIO_TYPE1v2_IOMMU;
	ASSERT_EQ(0, reopen(c));
	TAKE_STEPS(type1_steps);
	ASSERT_EQ(0, map_first_window(c));
	EXPECT_DMA_WORKS();
	sweep(_metadata, self, "close of it all", close_all, open_all_type1, false);
	EXPECT_NO_LEAKS_AND_FAILURES(10);
}

TEST_F_TIMEOUT(fail_nth, kvm, LIMIT)
{
	struct course *c = &self->course;

	/* KVM leaks a reference to the table for each further one. */
	if (c->groups > 1)
		SKIP(return, "KVM is told of one group only");
	if (guest_cannot_run())
		SKIP(return, "%s", guest_cannot_run());
	c->type = VFIO_SPAPR_TCE_v2_IOMMU;
	ASSERT_EQ(0, guest_create(&c->guest));
	ASSERT_EQ(0, guest_start(&c->guest, 1));
	ASSERT_EQ(0, guest_add_memory(&c->guest, GUEST_MEMORY, c->buffer, c->size));
	ASSERT_EQ(0, reopen_and_register(c));
	ASSERT_EQ(0, remove_first_window(c));
	ASSERT_EQ(0, create_first_window(c));
	TAKE_STEPS(kvm_steps);
	ASSERT_EQ(0, stuff_tce(c));
	ASSERT_EQ(0, map_first_window(c));
	EXPECT_DMA_WORKS();
	ASSERT_EQ(0, close_table(c));
	TAKE_STEPS(last_kvm_steps);
	EXPECT_NO_LEAKS_AND_FAILURES(10);
}

TEST_HARNESS_MAIN

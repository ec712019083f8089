// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "vfio_spapr.h"

/* 64-bit, machine checks enabled, little-endian; addresses are real. */
#define GUEST_MSR	((1UL << 63) | (1UL << 12) | 1UL)
/* No hypercall has this number: KVM hands it to the program. */
#define GUEST_IS_DONE	0xDEAD

/* The layout that the code below goes by. */
struct guest_mailbox {
	uint64_t repetitions;
	uint64_t count;
	struct guest_call call[GUEST_MAX_CALLS];
};

_Static_assert(offsetof(struct guest_mailbox, call) == 16, "the code has this offset");
_Static_assert(sizeof(struct guest_call) == 56, "the code has this size");

/* r31 is the address of the mailbox, and all that the guest begins with. KVM keeps r28 and above. */
asm(".pushsection .rodata\n"
    ".balign 4\n"
    "guest_code:\n"
    "1:	ld	30, 0(31)\n"
    "2:	ld	29, 8(31)\n"
    "	addi	28, 31, 16\n"
    "3:	ld	3, 0(28)\n"
    "	ld	4, 8(28)\n"
    "	ld	5, 16(28)\n"
    "	ld	6, 24(28)\n"
    "	ld	7, 32(28)\n"
    "	sc	1\n"
    "	std	3, 40(28)\n"
    "	std	4, 48(28)\n"
    "	addi	28, 28, 56\n"
    "	addic.	29, 29, -1\n"
    "	bne	3b\n"
    "	addic.	30, 30, -1\n"
    "	bne	2b\n"
    "	li	3, 0\n"
    "	ori	3, 3, 0xDEAD\n"
    "	sc	1\n"
    "	b	1b\n"
    "guest_code_end:\n"
    ".popsection\n");

extern const char guest_code[], guest_code_end[];

/* As the kernel's ioctl, but -errno. */
static int kvm_ioctl(int fd, unsigned long request, const void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void guest_init(struct guest *g)
{
	memset(g, 0, sizeof(*g));
	g->kvm = g->vm = g->device = -1;
}

int guest_create(struct guest *g)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int ret;

	guest_init(g);
	g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (g->kvm < 0)
		return -errno;
	g->vm = kvm_ioctl(g->kvm, KVM_CREATE_VM, NULL);
	if (g->vm < 0)
		return g->vm;
	ret = kvm_ioctl(g->vm, KVM_CREATE_DEVICE, &device);
	g->device = ret ? -1 : (int)device.fd;
	return ret;
}

void guest_close(struct guest *g)
{
	for (int i = 0; i < g->vcpus; i++) {
		munmap(g->run[i], g->run_size);
		close_fd(&g->vcpu[i]);
	}
	close_fd(&g->device);
	close_fd(&g->vm);
	close_fd(&g->kvm);
	if (g->memory)
		memory_put(g->memory, g->size);
	guest_init(g);
}

static int set_attribute(const struct guest *g, uint64_t attribute, const void *value)
{
	const struct kvm_device_attr arg = {
		.group = KVM_DEV_VFIO_GROUP, .attr = attribute, .addr = (uintptr_t)value,
	};

	return kvm_ioctl(g->device, KVM_SET_DEVICE_ATTR, &arg);
}

int guest_add_group(const struct guest *g, int group_fd)
{
	const int32_t fd = group_fd;

	return set_attribute(g, KVM_DEV_VFIO_GROUP_ADD, &fd);
}

int guest_remove_group(const struct guest *g, int group_fd)
{
	const int32_t fd = group_fd;

	return set_attribute(g, KVM_DEV_VFIO_GROUP_DEL, &fd);
}

int guest_create_table(const struct guest *g, uint64_t liobn, uint32_t page_shift, uint64_t start,
		       uint64_t size)
{
	const struct kvm_create_spapr_tce_64 arg = {
		.liobn = liobn, .page_shift = page_shift,
		.offset = start >> page_shift, .size = size >> page_shift,
	};

	return kvm_ioctl(g->vm, KVM_CREATE_SPAPR_TCE_64, &arg);
}

int guest_set_table(const struct guest *g, int group_fd, int table)
{
	const struct kvm_vfio_spapr_tce arg = { .groupfd = group_fd, .tablefd = table };

	return set_attribute(g, KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &arg);
}

const char *guest_cannot_run(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), radix;

	if (kvm < 0)
		return "there is no KVM";
	radix = kvm_ioctl(kvm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_PPC_MMU_RADIX);
	close(kvm);
	return radix > 0 ? NULL : "KVM runs no radix guests here";
}

int guest_add_memory(struct guest *g, uint64_t start, const void *memory, size_t size)
{
	const struct kvm_userspace_memory_region region = {
		.slot = g->slots, .guest_phys_addr = start, .memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};
	int ret = kvm_ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &region);

	if (!ret)
		g->slots++;
	return ret;
}

/* The guest's own pages, in this order. */
static uint64_t code_address(void)
{
	return 0;
}

uint64_t guest_tce_list_address(void)
{
	return page_size();
}

static uint64_t mailbox_address(int vcpu)
{
	return (2 + (uint64_t)vcpu) * page_size();
}

uint64_t *guest_tce_list(const struct guest *g)
{
	return (uint64_t *)(g->memory + guest_tce_list_address());
}

static struct guest_mailbox *mailbox(const struct guest *g, int vcpu)
{
	return (struct guest_mailbox *)(g->memory + mailbox_address(vcpu));
}

static int load_code(struct guest *g)
{
	const size_t length = (size_t)(guest_code_end - guest_code);

	g->size = mailbox_address(GUEST_MAX_VCPUS);
	g->memory = memory_get(g->size);
	memcpy(g->memory + code_address(), guest_code, length);
	__builtin___clear_cache((char *)g->memory, (char *)g->memory + length);
	return guest_add_memory(g, 0, g->memory, g->size);
}

static int enable_hcall(const struct guest *g, uint64_t number)
{
	const struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PPC_ENABLE_HCALL, .args = { number, 1 },
	};

	return kvm_ioctl(g->vm, KVM_ENABLE_CAP, &cap);
}

static int enable_hcalls(const struct guest *g)
{
	static const uint64_t number[] = {
		H_GET_TCE, H_PUT_TCE, H_STUFF_TCE, H_PUT_TCE_INDIRECT,
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(number) / sizeof(*number); i++)
		ret = enable_hcall(g, number[i]);
	return ret;
}

/* KVM runs nothing but partitions. */
static int set_up_vcpu(const struct guest *g, int vcpu)
{
	const struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };
	struct kvm_regs regs;
	int ret;

	ret = kvm_ioctl(g->vcpu[vcpu], KVM_ENABLE_CAP, &papr);
	if (!ret)
		ret = kvm_ioctl(g->vcpu[vcpu], KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	regs.pc = code_address();
	regs.msr = GUEST_MSR;
	regs.gpr[31] = mailbox_address(vcpu);
	return kvm_ioctl(g->vcpu[vcpu], KVM_SET_REGS, &regs);
}

static int add_vcpu(struct guest *g)
{
	const int n = g->vcpus;
	int fd = kvm_ioctl(g->vm, KVM_CREATE_VCPU, (void *)(uintptr_t)n);
	void *run;

	if (fd < 0)
		return fd;
	run = mmap(NULL, g->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	g->vcpu[n] = fd;
	g->run[n] = run;
	g->vcpus++;
	return set_up_vcpu(g, n);
}

int guest_start(struct guest *g, int vcpus)
{
	int ret = kvm_ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);

	if (ret < 0)
		return ret;
	g->run_size = (size_t)ret;
	ret = load_code(g);
	if (!ret)
		ret = enable_hcalls(g);
	while (!ret && g->vcpus < vcpus)
		ret = add_vcpu(g);
	return ret;
}

/* Back in the program: with something that KVM has not done, or because all calls were made. */
static int run_until_done(const struct guest *g, int vcpu)
{
	struct kvm_run *run = g->run[vcpu];
	int ret;

	for (;;) {
		ret = kvm_ioctl(g->vcpu[vcpu], KVM_RUN, NULL);
		if (ret == -EINTR)
			continue;
		if (ret < 0 || run->exit_reason != KVM_EXIT_PAPR_HCALL) {
			fprintf(stderr, "KVM_RUN: %d, exit reason %u\n", ret, run->exit_reason);
			return ret < 0 ? ret : -EIO;
		}
		run->papr_hcall.ret = H_TOO_HARD;
		if (run->papr_hcall.nr == GUEST_IS_DONE)
			return 0;
	}
}

int guest_run(const struct guest *g, int vcpu, struct guest_call *calls, unsigned int count,
	      unsigned long repetitions)
{
	struct guest_mailbox *box = mailbox(g, vcpu);
	int ret;

	box->repetitions = repetitions;
	box->count = count;
	memcpy(box->call, calls, count * sizeof(*calls));
	ret = run_until_done(g, vcpu);
	memcpy(calls, box->call, count * sizeof(*calls));
	return ret;
}

long guest_hcall(const struct guest *g, int vcpu, unsigned long number, unsigned long a,
		 unsigned long b, unsigned long c, unsigned long d)
{
	struct guest_call call = { .number = number, .argument = { a, b, c, d } };

	return guest_run(g, vcpu, &call, 1, 1) ? GUEST_STUCK : call.result;
}

long guest_put_tce(const struct guest *g, uint64_t liobn, uint64_t iova, uint64_t tce)
{
	return guest_hcall(g, 0, H_PUT_TCE, liobn, iova, tce, 0);
}

long guest_stuff_tce(const struct guest *g, uint64_t liobn, uint64_t iova, uint64_t pages)
{
	return guest_hcall(g, 0, H_STUFF_TCE, liobn, iova, 0, pages);
}

uint64_t guest_get_tce(const struct guest *g, uint64_t liobn, uint64_t iova)
{
	struct guest_call call = { .number = H_GET_TCE, .argument = { liobn, iova } };

	return guest_run(g, 0, &call, 1, 1) || call.result ? GUEST_STUCK : call.value;
}

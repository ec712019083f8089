/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of KVM that makes hypercalls, and what a client tells KVM of its groups and windows.
 *
 * The guest is a dozen instructions long. It makes the hypercalls in its mailbox, a page of its
 * memory, and then comes back to the program. A hypercall that KVM does not do itself comes to the
 * program, too, as it comes to QEMU; here it is answered with H_TOO_HARD, so that a test sees the
 * difference. A virtual machine without guest is enough for a test of what KVM is told.
 */
#ifndef SELFTESTS_VFIO_KVM_GUEST_H
#define SELFTESTS_VFIO_KVM_GUEST_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_MAX_VCPUS		2
/* As many calls as the mailbox has room for. */
#define GUEST_MAX_CALLS		64
/* Where in the guest's memory that of the tests begins. */
#define GUEST_MEMORY		(1UL << 30)

#define H_GET_TCE		0x1C
#define H_PUT_TCE		0x20
#define H_STUFF_TCE		0x138
#define H_PUT_TCE_INDIRECT	0x13C

#define H_SUCCESS		0
#define H_PARAMETER		(-4)
/* No guest ever gets this from KVM: it was left to user space, and nobody did it. */
#define H_TOO_HARD		9999
/* The virtual CPU could not run; the reason is on standard error. */
#define GUEST_STUCK		12345

#define TCE_READ		1UL
#define TCE_WRITE		2UL
#define TCE_RW			(TCE_READ | TCE_WRITE)

struct guest_call {
	uint64_t number;
	uint64_t argument[4];
	/* What came back in r3 and r4. */
	int64_t result;
	uint64_t value;
};

struct guest_mailbox;

struct guest {
	int kvm;
	int vm;
	int device;		/* KVM's VFIO device */
	int vcpus;
	int vcpu[GUEST_MAX_VCPUS];
	struct kvm_run *run[GUEST_MAX_VCPUS];
	size_t run_size;
	/* The guest's own memory: its code, a page of TCEs, and the mailboxes. */
	uint8_t *memory;
	size_t size;
	unsigned int slots;
};

/* Forgets everything, so that guest_close() is always safe. */
void guest_init(struct guest *g);
/* A virtual machine with a VFIO device, but neither memory nor CPU. */
int guest_create(struct guest *g);
void guest_close(struct guest *g);

/* Tells KVM of a group, and that it is none any more. */
int guest_add_group(const struct guest *g, int group_fd);
int guest_remove_group(const struct guest *g, int group_fd);
/* The guest's table of a window; returns its file descriptor. */
int guest_create_table(const struct guest *g, uint64_t liobn, uint32_t page_shift, uint64_t start,
		       uint64_t size);
/* KVM looks for the group's table that fits. Only once for each: KVM leaks a reference otherwise. */
int guest_set_table(const struct guest *g, int group_fd, int table);

/* Why KVM cannot run our guest on this machine, or NULL. */
const char *guest_cannot_run(void);
/* Gives the virtual machine its code and its CPUs. */
int guest_start(struct guest *g, int vcpus);
/* The memory is at the guest's real address `start` from now on. */
int guest_add_memory(struct guest *g, uint64_t start, const void *memory, size_t size);

/* A page for H_PUT_TCE_INDIRECT, and its guest real address. */
uint64_t *guest_tce_list(const struct guest *g);
uint64_t guest_tce_list_address(void);

/*
 * A CPU of the guest makes the calls in turn, all of them as many times as said, and does not leave
 * the guest in between. Their last results are in `calls` then. Each CPU may have a thread.
 */
int guest_run(const struct guest *g, int vcpu, struct guest_call *calls, unsigned int count,
	      unsigned long repetitions);
/* One hypercall; returns its result. */
long guest_hcall(const struct guest *g, int vcpu, unsigned long number, unsigned long a,
		 unsigned long b, unsigned long c, unsigned long d);
long guest_put_tce(const struct guest *g, uint64_t liobn, uint64_t iova, uint64_t tce);
long guest_stuff_tce(const struct guest *g, uint64_t liobn, uint64_t iova, uint64_t pages);
/* The entry, or GUEST_STUCK. */
uint64_t guest_get_tce(const struct guest *g, uint64_t liobn, uint64_t iova);

#endif

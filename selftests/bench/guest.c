// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of KVM that maps and unmaps by hypercalls, without a call into VFIO.
 *
 * A run of the guest makes a list of hypercalls. What a run takes by itself is that of a list with one
 * hypercall that changes nothing; all lists begin with it.
 */
#include "bench.h"

#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "kvm_guest.h"

#define LIOBN		0x80000000UL
#define LIST		512UL	/* TCEs of one H_PUT_TCE_INDIRECT */
#define SINGLES		(GUEST_MAX_CALLS - 1UL)

/* The result is a file descriptor, 0, or -errno. */
static int check(int result, const char *what)
{
	if (result < 0) {
		errno = -result;
		fail(what);
	}
	return result;
}

static uint64_t tce_of(uint64_t page)
{
	return (GUEST_MEMORY + (page << 12)) | TCE_RW;
}

/* The guest's memory is that of the container. Returns the guest's table of the window. */
static int start_guest(struct guest *g, const struct bench *b)
{
	int table;

	check(guest_create(g), "KVM_CREATE_VM");
	check(guest_start(g, 1), "KVM_CREATE_VCPU");
	check(guest_add_memory(g, GUEST_MEMORY, b->memory, PAGES << 12), "the guest's memory");
	check(guest_add_group(g, b->group[0]), "KVM_DEV_VFIO_GROUP_ADD");
	table = check(guest_create_table(g, LIOBN, 12, 0, 1UL << b->shape->window_shift),
		      "KVM_CREATE_SPAPR_TCE_64");
	check(guest_set_table(g, b->group[0], table), "KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE");
	for (uint64_t i = 0; i < LIST; i++)
		guest_tce_list(g)[i] = htobe64(tce_of(i));
	return table;
}

static int64_t run(const struct guest *g, struct guest_call *calls, unsigned int count)
{
	const uint64_t start = now();
	int64_t ns;

	check(guest_run(g, 0, calls, count, 1), "KVM_RUN");
	ns = (int64_t)(now() - start);
	for (unsigned int i = 0; i < count; i++) {
		if (calls[i].result != H_SUCCESS) {
			errno = EIO;
			fail("a hypercall");
		}
	}
	return ns;
}

/* What maps and what unmaps the same pages, as lists. */
struct lists {
	unsigned int count;
	struct guest_call map[GUEST_MAX_CALLS];
	struct guest_call unmap[GUEST_MAX_CALLS];
};

static const struct guest_call nothing = { .number = H_GET_TCE, .argument = { LIOBN, 0 } };

/* One page a hypercall. */
static void make_singles(struct lists *l)
{
	l->count = 1 + SINGLES;
	l->map[0] = l->unmap[0] = nothing;
	for (uint64_t i = 0; i < SINGLES; i++) {
		l->map[1 + i] = (struct guest_call) {
			.number = H_PUT_TCE, .argument = { LIOBN, i << 12, tce_of(i) },
		};
		l->unmap[1 + i] = (struct guest_call) {
			.number = H_PUT_TCE, .argument = { LIOBN, i << 12, 0 },
		};
	}
}

/* As many pages as a hypercall can have. */
static void make_many(struct lists *l)
{
	l->count = 2;
	l->map[0] = l->unmap[0] = nothing;
	l->map[1] = (struct guest_call) {
		.number = H_PUT_TCE_INDIRECT,
		.argument = { LIOBN, 0, guest_tce_list_address(), LIST },
	};
	l->unmap[1] = (struct guest_call) {
		.number = H_STUFF_TCE, .argument = { LIOBN, 0, 0, LIST },
	};
}

static void measure_lists(const struct guest *g, const struct shape *shape, struct lists *l,
			  uint64_t pages)
{
	struct guest_call base = nothing;
	int64_t base_ns[FEW], map_ns[FEW], unmap_ns[FEW], own;

	for (int i = 0; i < FEW; i++) {
		base_ns[i] = run(g, &base, 1);
		map_ns[i] = run(g, l->map, l->count);
		unmap_ns[i] = run(g, l->unmap, l->count);
	}
	own = median(base_ns, FEW);
	print_row_per_page("put", shape, pages, (median(map_ns, FEW) - own) / (l->count - 1));
	print_row_per_page("clear", shape, pages, (median(unmap_ns, FEW) - own) / (l->count - 1));
}

static void skip(const struct shape *shape, const char *why)
{
	print_skip("put", shape, 1, why);
	print_skip("clear", shape, 1, why);
	print_skip("put", shape, LIST, why);
	print_skip("clear", shape, LIST, why);
}

void measure_guest(struct bench *b, const struct shape *shape)
{
	static struct lists lists;
	struct guest guest;
	int table;

	if (guest_cannot_run()) {
		skip(shape, guest_cannot_run());
		return;
	}
	open_container(b, shape, false);
	table = start_guest(&guest, b);
	make_singles(&lists);
	measure_lists(&guest, shape, &lists, 1);
	make_many(&lists);
	measure_lists(&guest, shape, &lists, LIST);
	close(table);
	guest_close(&guest);
	close_container(b);
}

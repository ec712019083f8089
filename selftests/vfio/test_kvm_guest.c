// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest of KVM does to the TCE tables: it makes hypercalls, which KVM carries out without a
 * call into VFIO. Pages are mapped and counted all the same, and the program's own calls see them.
 */
#include "kvm_fixture.h"

#include <endian.h>
#include <errno.h>

TEST_F(guest, device_reaches_what_the_guest_maps)
{
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	EXPECT_WRITES(self, MIB, self->buffer);
	EXPECT_READS(self, MIB, self->buffer);
	EXPECT_NO_WRITES(self, MIB + PAGE, self->buffer + PAGE);
	ASSERT_EQ(H_SUCCESS, guest_put_tce(&self->guest, LIOBN, MIB, 0));
	EXPECT_NO_WRITES(self, MIB, self->buffer);
	EXPECT_NOTHING_MAPPED(self);
}

TEST_F(guest, a_range_is_unmapped_by_one_hypercall)
{
	for (unsigned int i = 0; i < 8; i++)
		ASSERT_EQ(H_SUCCESS, put(self, MIB + i * PAGE, self->buffer + i * PAGE));
	EXPECT_WRITES(self, MIB + 7 * PAGE, self->buffer + 7 * PAGE);
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 8));
	EXPECT_NO_WRITES(self, MIB, self->buffer);
	EXPECT_NO_WRITES(self, MIB + 7 * PAGE, self->buffer + 7 * PAGE);
	EXPECT_NOTHING_MAPPED(self);
}

TEST_F(guest, a_list_is_mapped_by_one_hypercall)
{
	for (unsigned int i = 0; i < 8; i++)
		guest_tce_list(&self->guest)[i] =
			htobe64(tce(self, self->buffer + (7 - i) * PAGE, TCE_RW));
	ASSERT_EQ(H_SUCCESS, guest_hcall(&self->guest, 0, H_PUT_TCE_INDIRECT, LIOBN, MIB,
					 guest_tce_list_address(), 8));
	EXPECT_WRITES(self, MIB, self->buffer + 7 * PAGE);
	EXPECT_WRITES(self, MIB + 7 * PAGE, self->buffer);
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 8));
	EXPECT_NOTHING_MAPPED(self);
}

/* KVM keeps what the guest has put; it does not read the host's table. */
TEST_F(guest, the_guest_reads_what_it_has_put)
{
	EXPECT_EQ(0, guest_get_tce(&self->guest, LIOBN, MIB));
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	EXPECT_EQ(tce(self, self->buffer, TCE_RW), guest_get_tce(&self->guest, LIOBN, MIB));
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	EXPECT_EQ(0, guest_get_tce(&self->guest, LIOBN, MIB));
}

TEST_F(guest, what_the_guest_maps_over_is_counted_once)
{
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	for (unsigned int i = 0; i < 5; i++)
		ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer + PAGE));
	EXPECT_NO_WRITES(self, MIB, self->buffer);
	EXPECT_WRITES(self, MIB, self->buffer + PAGE);
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	/* Twice is once. */
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	EXPECT_NOTHING_MAPPED(self);
}

/* A page that the device can reach holds the memory, whoever has mapped it. */
TEST_F(guest, d2_memory_is_held_by_what_the_guest_maps)
{
	ASSERT_EQ(0, spapr_unmap(self->fd, self->scratch_iova, PAGE));
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	EXPECT_EQ(-EBUSY, spapr_unregister(self->fd, self->buffer, self->size));
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	EXPECT_EQ(0, spapr_unregister(self->fd, self->buffer, self->size));
}

TEST_F(guest, program_and_guest_map_over_each_other)
{
	ASSERT_EQ(0, spapr_map(self->fd, MIB, self->buffer, 2 * PAGE, MAP_RW));
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer + 2 * PAGE));
	EXPECT_WRITES(self, MIB, self->buffer + 2 * PAGE);
	ASSERT_EQ(H_SUCCESS, put(self, MIB + 2 * PAGE, self->buffer));
	ASSERT_EQ(0, spapr_map(self->fd, MIB + 2 * PAGE, self->buffer + PAGE, PAGE, MAP_RW));
	EXPECT_WRITES(self, MIB + 2 * PAGE, self->buffer + PAGE);
	/* The guest unmaps what the program has mapped, and the other way round. */
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB + PAGE, 2));
	EXPECT_NO_WRITES(self, MIB + PAGE, self->buffer + PAGE);
	EXPECT_NO_WRITES(self, MIB + 2 * PAGE, self->buffer + PAGE);
	ASSERT_EQ(0, spapr_unmap(self->fd, MIB, PAGE));
	EXPECT_NO_WRITES(self, MIB, self->buffer + 2 * PAGE);
	EXPECT_NOTHING_MAPPED(self);
}

TEST_F(guest, a_page_for_reading_is_not_written)
{
	ASSERT_EQ(H_SUCCESS, guest_put_tce(&self->guest, LIOBN, MIB,
					   tce(self, self->buffer, TCE_READ)));
	EXPECT_READS(self, MIB, self->buffer);
	EXPECT_NO_WRITES(self, MIB, self->buffer);
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	EXPECT_NOTHING_MAPPED(self);
}

/* What KVM does not know or cannot find is for user space; the table is left as it is. */
TEST_F(guest, what_is_not_for_kvm_goes_to_user_space)
{
	uint8_t *other = memory_get(page_size());

	ASSERT_EQ(0, guest_add_memory(&self->guest, 2 * GUEST_MEMORY, other, page_size()));
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	EXPECT_EQ(H_TOO_HARD, guest_put_tce(&self->guest, LIOBN + 1, MIB, 0));
	EXPECT_EQ(H_TOO_HARD, guest_put_tce(&self->guest, LIOBN, MIB, 3 * GUEST_MEMORY | TCE_RW));
	/* This memory is not registered. */
	EXPECT_EQ(H_TOO_HARD, guest_put_tce(&self->guest, LIOBN, MIB, 2 * GUEST_MEMORY | TCE_RW));
	EXPECT_EQ(H_PARAMETER, put(self, WINDOW_SIZE, self->buffer));
	EXPECT_WRITES(self, MIB, self->buffer);
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	EXPECT_NOTHING_MAPPED(self);
	memory_put(other, page_size());
}

/* A TCE of the guest is several of the table's. */
TEST_F(guest, large_pages_of_the_guest_over_small_ones)
{
	const uint64_t liobn = LIOBN + 1, page = 1UL << TCE_SHIFT_64K;
	int table = guest_create_table(&self->guest, liobn, TCE_SHIFT_64K, 0, WINDOW_SIZE);
	uint8_t *memory = memory_get_aligned(page, page);

	ASSERT_LE(0, table);
	ASSERT_EQ(0, guest_set_table(&self->guest, self->s.group_fd[0], table));
	ASSERT_EQ(0, guest_add_memory(&self->guest, 2 * GUEST_MEMORY, memory, page));
	ASSERT_EQ(0, spapr_register(self->fd, memory, page));
	ASSERT_EQ(H_SUCCESS, guest_put_tce(&self->guest, liobn, MIB, 2 * GUEST_MEMORY | TCE_RW));
	EXPECT_WRITES(self, MIB, memory);
	EXPECT_WRITES(self, MIB + page - PAGE, memory + page - PAGE);
	EXPECT_NO_WRITES(self, MIB + page, self->buffer);
	/* The program takes one piece away, and the guest the others. */
	ASSERT_EQ(0, spapr_unmap(self->fd, MIB, PAGE));
	ASSERT_EQ(H_SUCCESS, guest_stuff_tce(&self->guest, liobn, MIB, 1));
	EXPECT_NO_WRITES(self, MIB + page - PAGE, memory + page - PAGE);
	EXPECT_EQ(0, spapr_unregister(self->fd, memory, page));
	EXPECT_NOTHING_MAPPED(self);
	close(table);
	memory_put(memory, page);
}

/*
 * KVM looks at the first piece only before it begins. When it finds that another one is not
 * registered, it empties all of the entries, also those of which it has done nothing yet.
 */
TEST_F(guest, d21_large_page_that_is_registered_in_part)
{
	const uint64_t liobn = LIOBN + 1, page = 2 * MIB, iova = 4 * MIB;
	uint8_t *memory;
	int table;

	SKIP_ON_KERNEL_TABLES();
	memory = memory_get_aligned(page, page);
	table = guest_create_table(&self->guest, liobn, 21, 0, WINDOW_SIZE);
	ASSERT_LE(0, table);
	ASSERT_EQ(0, guest_set_table(&self->guest, self->s.group_fd[0], table));
	ASSERT_EQ(0, guest_add_memory(&self->guest, 2 * GUEST_MEMORY, memory, page));
	ASSERT_EQ(0, spapr_register(self->fd, memory, page_size()));
	ASSERT_EQ(0, spapr_map(self->fd, iova, self->buffer, PAGE, MAP_RW));
	ASSERT_EQ(0, spapr_map(self->fd, iova + page - PAGE, self->buffer, PAGE, MAP_RW));
	EXPECT_EQ(H_TOO_HARD, guest_put_tce(&self->guest, liobn, iova, 2 * GUEST_MEMORY | TCE_RW));
	EXPECT_NO_WRITES(self, iova, memory);
	EXPECT_EQ(0, spapr_unmap(self->fd, iova, page));
	EXPECT_EQ(0, spapr_unregister(self->fd, memory, page_size()));
	EXPECT_NOTHING_MAPPED(self);
	close(table);
	memory_put(memory, page);
}

/* KVM is told of one of the groups only: it leaks a table that it finds by another group again. */
TEST_F(guest, both_groups_of_a_container)
{
	if (spapr_attach(&self->s, 1))
		SKIP(return, "there are no two groups with an edu device");
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	ASSERT_EQ(H_SUCCESS, put(self, MIB, self->buffer));
	EXPECT_WRITES(self, MIB, self->buffer);
	EXPECT_DEVICE_WRITES(&self->s.edu[1], MIB, self->buffer, self->scratch_iova, self->scratch);
	ASSERT_EQ(H_SUCCESS, stuff(self, MIB, 1));
	EXPECT_NO_DEVICE_WRITES(&self->s.edu[1], MIB, self->buffer, self->scratch_iova,
				self->scratch);
	EXPECT_NOTHING_MAPPED(self);
}

TEST_HARNESS_MAIN

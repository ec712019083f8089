/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HandleTable: the numbers by which the VFIO core knows containers. A number consists of a slot and
 * of the tag that the slot has for this container. It is used again only after 2^32 other
 * containers had the slot.
 *
 * A slot has the references on its container, too. Slots are never freed while the module is
 * loaded, so that a call with an old number finds a slot with another tag, and no freed memory.
 *
 * Locking: find() takes none. The others take the table's mutex, process context. All processes
 * share that one: nothing is allocated under it, which can wait for what a user has to write back.
 */
#pragma once

#include "kcxx/checked.h"
#include "kcxx/locked.h"
#include "kcxx/published.h"
#include "kcxx/result.h"
#include "kcxx/tagged_count.h"

namespace tce {

class SharedContainer;

/* A container's place in the table. */
struct HandleSlot {
	kcxx::TaggedCount references;
	SharedContainer *container = nullptr;
	HandleSlot *next_free = nullptr;
	unsigned int number = 0; /* from 1 */
};

class HandleTable {
public:
	/* At module load. */
	static void init();
	/* At module unload, when no slot is in use and no call can arrive any more. */
	static void free_all();

	/* A slot that nobody uses. -ENOMEM: no memory, or 65,536 containers. May sleep. */
	static kcxx::Result<HandleSlot *> take();
	/* Of a slot whose last reference is gone. May sleep. */
	static void give_back(HandleSlot &slot);

	/* Starts the references on slot.container, and returns the number for it, never 0. */
	static unsigned long start(HandleSlot &slot);
	/* The slot of @handle, with a reference on its container; nullptr: it has retired. */
	static HandleSlot *find(unsigned long handle)
	{
		HandleSlot *slot = slot_of(static_cast<unsigned int>(handle));
		unsigned int tag = static_cast<unsigned int>(kcxx::divided(handle, tag_shift));

		if (!slot || !slot->references.get(tag)) [[unlikely]]
			return nullptr;
		return slot;
	}

private:
	/* A handle is the number of a slot, and from this bit on its tag. */
	static constexpr unsigned int tag_shift = 32;
	/* A chunk takes 8 KiB, and never moves. */
	static constexpr unsigned int slots_per_chunk = 256;
	static constexpr unsigned int most_chunks = 256;
	using Chunk = HandleSlot[slots_per_chunk];
	struct Slots;

	/* nullptr: there never was such a number. */
	static HandleSlot *slot_of(unsigned int number)
	{
		unsigned int place = number - 1;
		unsigned int chunk_number = place / slots_per_chunk;

		if (chunk_number >= most_chunks) [[unlikely]]
			return nullptr;

		/* Checked just now: no subscript, which UBSAN would check again. */
		Chunk *chunk = (s_chunks + chunk_number)->get();

		return chunk ? *chunk + place % slots_per_chunk : nullptr;
	}
	static void add_free(Slots &list, HandleSlot &slot);
	/* Takes @memory over as the next chunk. False: there can be no more. */
	static bool add_chunk(Slots &list, void *memory);

	static kcxx::Published<Chunk> s_chunks[most_chunks];
	static kcxx::Locked<Slots> s_slots;
};

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/handle_table.h"

#include <new>

#include "kernel/memory.h"

namespace tce {

using kcxx::Errno;
using kcxx::Result;

struct HandleTable::Slots {
	unsigned int chunks = 0;
	HandleSlot *first_free = nullptr;
};

constinit kcxx::Published<HandleTable::Chunk> HandleTable::s_chunks[most_chunks];
constinit kcxx::Locked<HandleTable::Slots> HandleTable::s_slots;

void HandleTable::init()
{
	s_slots.init(GLUE_MUTEX_HANDLES);
}

void HandleTable::free_all()
{
	s_slots.with([](Slots &list) {
		while (list.chunks)
			glue_free(s_chunks[--list.chunks].take());
		list.first_free = nullptr;
	});
}

Result<HandleSlot *> HandleTable::take()
{
	for (;;) {
		HandleSlot *slot = s_slots.with([](Slots &list) {
			HandleSlot *first = list.first_free;

			if (first)
				list.first_free = first->next_free;
			return first;
		});

		if (slot)
			return slot;

		void *memory = glue_alloc(sizeof(Chunk));

		if (!memory)
			return Errno::NoMemory;
		if (!s_slots.with([memory](Slots &list) { return add_chunk(list, memory); })) {
			glue_free(memory);
			return Errno::NoMemory;
		}
	}
}

void HandleTable::give_back(HandleSlot &slot)
{
	s_slots.with([&](Slots &list) { add_free(list, slot); });
}

unsigned long HandleTable::start(HandleSlot &slot)
{
	return kcxx::multiplied(slot.references.start(), tag_shift) | slot.number;
}

void HandleTable::add_free(Slots &list, HandleSlot &slot)
{
	slot.next_free = list.first_free;
	list.first_free = &slot;
}

bool HandleTable::add_chunk(Slots &list, void *memory)
{
	if (list.chunks == most_chunks)
		return false;

	HandleSlot *first = static_cast<HandleSlot *>(memory);

	for (unsigned int i = slots_per_chunk; i--;) {
		HandleSlot *slot = new (first + i) HandleSlot;

		slot->number = list.chunks * slots_per_chunk + i + 1;
		add_free(list, *slot);
	}
	s_chunks[list.chunks++].set(static_cast<Chunk *>(memory));
	return true;
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's memory, RCU readers and access to the user's memory. */
#include "kernel/memory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "fake/kernel.h"
#include "kernel/objects.h"

namespace fake {

namespace {

constexpr int poison = 0xa5;
/* Nothing is mapped below. */
constexpr unsigned long lowest_user_address = 64 * 1024;

} /* namespace */

void *Kernel::allocate(unsigned long size, bool array)
{
	might_sleep("an allocation");
	if (failures.hit(array ? Point::AllocArray : Point::Alloc))
		return nullptr;
	return add_allocation(size, array);
}

void *Kernel::allocate_nowait(unsigned long size)
{
	if (failures.hit(Point::AllocNoWait))
		return nullptr;
	return add_allocation(size, false);
}

void *Kernel::add_allocation(unsigned long size, bool array)
{
	void *memory = std::malloc(size);

	std::memset(memory, poison, size);

	std::lock_guard guard(m_mutex);

	m_allocations[memory] = array;
	return memory;
}

void Kernel::free(void *memory, bool array)
{
	if (!memory)
		return;

	std::lock_guard guard(m_mutex);
	auto found = m_allocations.find(memory);

	if (found == m_allocations.end() || found->second != array) {
		complain("memory is freed that was not allocated so");
		return;
	}
	m_allocations.erase(found);
	std::free(memory);
}

void Kernel::free_after_readers(void *memory)
{
	might_sleep("waiting for readers");
	{
		std::lock_guard guard(m_mutex);

		m_deferred.push_back(memory);
	}
	flush_deferred();
}

void Kernel::flush_deferred()
{
	std::vector<void *> unreachable;
	{
		std::lock_guard guard(m_mutex);

		if (m_readers)
			return;
		unreachable.swap(m_deferred);
	}
	for (void *memory : unreachable)
		free(memory, false);
}

void Kernel::reader_entered()
{
	std::lock_guard guard(m_mutex);

	++m_readers;
}

void Kernel::reader_left()
{
	{
		std::lock_guard guard(m_mutex);

		--m_readers;
	}
	flush_deferred();
}

void Kernel::protect(const void *address, bool readable)
{
	m_protected.emplace_back(reinterpret_cast<unsigned long>(address), readable);
}

bool Kernel::may_access(unsigned long address, unsigned long size, bool write)
{
	might_sleep("a copy from or to the user");
	if (address < lowest_user_address)
		return false;
	for (auto [begin, readable] : m_protected) {
		if (begin - address < size && (write || !readable))
			return false;
	}
	return true;
}

} /* namespace fake */

using fake::kernel;
using fake::Point;

void *glue_alloc(unsigned long size)
{
	return kernel().allocate(size, false);
}

void *glue_alloc_nowait(unsigned long size)
{
	return kernel().allocate_nowait(size);
}

void glue_free(void *memory)
{
	kernel().free(memory, false);
}

void glue_free_after_readers(void *memory)
{
	kernel().free_after_readers(memory);
}

void *glue_alloc_array(unsigned long count, unsigned long size)
{
	unsigned long bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return nullptr;
	return kernel().allocate(bytes, true);
}

void glue_free_array(void *array)
{
	kernel().free(array, true);
}

unsigned long glue_copy_from_user(void *to, unsigned long user_address, unsigned long size)
{
	kernel().run(fake::Hook::BeforeCopyFromUser);
	if (!kernel().may_access(user_address, size, false) ||
	    kernel().failures.hit(Point::CopyFromUser))
		return size;
	std::memcpy(to, reinterpret_cast<const void *>(user_address), size);
	return 0;
}

unsigned long glue_copy_to_user(unsigned long user_address, const void *from, unsigned long size)
{
	kernel().run(fake::Hook::BeforeCopyToUser);
	if (!kernel().may_access(user_address, size, true) ||
	    kernel().failures.hit(Point::CopyToUser))
		return size;
	std::memcpy(reinterpret_cast<void *>(user_address), from, size);
	return 0;
}

void glue_objects_add()
{
	kernel().change_objects(1);
}

void glue_objects_drop()
{
	kernel().change_objects(-1);
}

void glue_objects_wait()
{
	/* No test has another thread running here. */
	if (kernel().has_objects())
		kernel().complain("the unload would wait for ever");
}

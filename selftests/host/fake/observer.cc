// SPDX-License-Identifier: GPL-2.0-only
/* Events, debugfs, and by which numbers people know processes and groups. */
#include "fake/observer.h"

#include <cstdarg>
#include <cstdio>
#include <map>
#include <shared_mutex>
#include <utility>

#include "fake/kernel.h"
#include "drivers/vfio/debugfs.h"
#include "kernel/group_id.h"
#include "kernel/trace.h"

using fake::kernel;

struct dentry {
	unsigned int number;
};

struct seq_file {
	std::string text;
};

unsigned int glue_traced = 0;

namespace {

fake::Tracer *tracer;

/* Readers have it while they read; who removes a directory waits for them. */
std::shared_mutex in_use;
std::map<unsigned int, void *> directories;

[[gnu::format(printf, 1, 2)]] void tell(const char *format, ...)
{
	char line[256];
	va_list arguments;

	if (!tracer)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	tracer->add(line);
}

const char *name_of(unsigned int direction)
{
	static const char *const names[] = { "rw", "r", "w", "none" };

	return names[direction];
}

} /* namespace */

namespace fake {

Tracer::Tracer()
{
	tracer = this;
	glue_traced = 1;
}

Tracer::~Tracer()
{
	glue_traced = 0;
	tracer = nullptr;
}

std::string Tracer::take()
{
	std::lock_guard guard(m_mutex);

	return std::exchange(m_events, {});
}

void Tracer::add(const std::string &event)
{
	std::lock_guard guard(m_mutex);

	m_events += event + "\n";
}

std::set<unsigned int> containers()
{
	std::shared_lock lock(in_use);
	std::set<unsigned int> numbers;

	for (const auto &[number, object] : directories)
		numbers.insert(number);
	return numbers;
}

std::string read_state(unsigned int container)
{
	std::shared_lock lock(in_use);
	auto found = directories.find(container);
	seq_file out;

	if (found != directories.end())
		tce_show_container(found->second, &out);
	return out.text;
}

std::string read_driver()
{
	seq_file out;

	tce_show_driver(&out);
	return out.text;
}

} /* namespace fake */

void seq_printf(struct seq_file *out, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	out->text += text;
}

void glue_debugfs_start() {}

void glue_debugfs_stop()
{
	if (!directories.empty())
		kernel().complain("a container's directory is left");
}

struct dentry *glue_debugfs_add(unsigned int number, void *object)
{
	kernel().might_sleep("making a directory");

	std::unique_lock lock(in_use);

	if (!directories.emplace(number, object).second)
		kernel().complain("two containers have one number");
	return new dentry{ number };
}

void glue_debugfs_remove(struct dentry *directory)
{
	kernel().might_sleep("removing a directory");
	if (fake::held_mutexes())
		kernel().complain("a directory is removed with a lock held that its readers take");

	std::unique_lock lock(in_use);

	directories.erase(directory->number);
	delete directory;
}

int glue_current_pid()
{
	return 42;
}

void glue_group_get_id(struct iommu_group *group, struct glue_group_id *id)
{
	kernel().might_sleep("looking at the devices of a group");
	id->group = static_cast<int>(group->data ? group->data->pe.number : 0);
	id->phb = group->has_pe && group->data ? static_cast<int>(group->data->pe.phb) : -1;
	id->pe = group->has_pe && group->data ? static_cast<int>(group->data->pe.number) : -1;
}

void glue_trace_group_attach(unsigned int container, const struct glue_group_id *id, long result)
{
	tell("attach container=%u group=%d phb=%d pe=%d result=%ld", container, id->group, id->phb,
	     id->pe, result);
}

void glue_trace_group_detach(unsigned int container, const struct glue_group_id *id)
{
	tell("detach container=%u group=%d", container, id->group);
}

void glue_trace_window_create(unsigned int container, unsigned long start, unsigned long size,
			      unsigned int page_shift, unsigned int levels, long result)
{
	tell("create container=%u start=0x%lx size=0x%lx page_shift=%u levels=%u result=%ld",
	     container, start, size, page_shift, levels, result);
}

void glue_trace_window_remove(unsigned int container, unsigned long start, unsigned long size)
{
	tell("remove container=%u start=0x%lx size=0x%lx", container, start, size);
}

void glue_trace_register(unsigned int container, unsigned long user, unsigned long size,
			 long result)
{
	tell("register container=%u user=0x%lx size=0x%lx result=%ld", container, user, size,
	     result);
}

void glue_trace_unregister(unsigned int container, unsigned long user, unsigned long size,
			   long result)
{
	tell("unregister container=%u user=0x%lx size=0x%lx result=%ld", container, user, size,
	     result);
}

void glue_trace_map(unsigned int container, unsigned long ioba, unsigned long size,
		    unsigned long user, unsigned int direction, long result)
{
	tell("map container=%u ioba=0x%lx size=0x%lx user=0x%lx direction=%s result=%ld", container,
	     ioba, size, user, name_of(direction), result);
}

void glue_trace_unmap(unsigned int container, unsigned long ioba, unsigned long size, long result)
{
	tell("unmap container=%u ioba=0x%lx size=0x%lx result=%ld", container, ioba, size, result);
}

void glue_trace_kvm_exchange(unsigned int container, unsigned long ioba, unsigned long,
			     unsigned int direction, bool allowed)
{
	tell("kvm container=%u ioba=0x%lx direction=%s allowed=%d", container, ioba,
	     name_of(direction), allowed);
}

void glue_trace_invalidate(unsigned long phb, unsigned int pe, unsigned long ioba,
			   unsigned long size, long)
{
	tell("invalidate phb=%lu pe=%u ioba=0x%lx size=0x%lx", phb, pe, ioba, size);
}

void glue_trace_invalidate_table(unsigned long ioba, unsigned long size)
{
	tell("invalidate table ioba=0x%lx size=0x%lx", ioba, size);
}

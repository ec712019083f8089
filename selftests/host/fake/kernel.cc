// SPDX-License-Identifier: GPL-2.0-only
#include "fake/kernel.h"

#include <cstdlib>
#include <iostream>
#include <utility>

#include "drivers/vfio/parameters.h"
#include "kernel/check.h"

/* Of the module, which is not part of the sources that are tested here. */
bool tce_type1;
unsigned int tce_dma_entry_limit = 65535;

namespace fake {

namespace {

Kernel *the_kernel;
thread_local mm_struct *current_process;

} /* namespace */

Kernel &kernel()
{
	return *the_kernel;
}

Kernel::Kernel(Complain complain) : m_complain(std::move(complain))
{
	the_kernel = this;
}

Kernel::~Kernel()
{
	set_current(nullptr);
	the_kernel = nullptr;
}

void Kernel::set_current(mm_struct *mm)
{
	current_process = mm;
}

mm_struct *Kernel::current()
{
	return current_process;
}

void Kernel::run(Hook hook)
{
	std::function<void()> action;
	{
		std::lock_guard guard(m_mutex);

		action = std::exchange(m_actions[hook], nullptr);
	}
	if (action)
		action();
}

void Kernel::change_objects(long by)
{
	std::lock_guard guard(m_mutex);

	m_objects += by;
	if (m_objects < 0)
		complain("more objects dropped than added");
}

bool Kernel::has_objects()
{
	std::lock_guard guard(m_mutex);

	return m_objects;
}

void Kernel::give_back_lost_counts()
{
	for (mm_struct *mm : processes) {
		for (mm_iommu_table_group_mem_t &region : mm->regions)
			region.mapped = 1;
	}
}

void Kernel::check_process(mm_struct &mm)
{
	if (!mm.regions.empty())
		complain(std::to_string(mm.regions.size()) + " regions are still registered");
	if (mm.mapped())
		complain(std::to_string(mm.mapped()) + " TCEs are still counted in regions");
	if (mm.locked_vm)
		complain(std::to_string(mm.locked_vm) + " pages are still charged as locked");
	if (mm.grabs)
		complain(std::to_string(mm.grabs) + " references on an address space are left");
}

void Kernel::check_balance()
{
	for (mm_struct *mm : processes)
		check_process(*mm);
	for (const auto &table : tables) {
		if (!table->must_stay)
			complain("a table is left");
		if (!table->entries().empty())
			complain("a table is left with mappings in it");
		table->free();
	}
	for (iommu_table_group &group : groups) {
		if (group.is_kept)
			complain("a group is still kept");
		for (iommu_table *table : group.tables) {
			if (table)
				complain("a group still has a window");
		}
	}
	for (iommu_group &group : iommu_groups) {
		if (group.references != 1)
			complain("references on a group are left");
	}

	flush_deferred();

	std::lock_guard guard(m_mutex);

	if (!m_allocations.empty())
		complain(std::to_string(m_allocations.size()) + " blocks of memory are left");
	if (!m_levels.empty())
		complain(std::to_string(m_levels.size()) + " levels of tables are left");
	if (m_objects)
		complain(std::to_string(m_objects) + " objects are left");
	if (m_readers || held_mutexes())
		complain("something is still locked");
	if (!m_pins.empty())
		complain(std::to_string(m_pins.size()) + " pages are still pinned");
}

} /* namespace fake */

void glue_check_failed(const char *condition)
{
	std::cerr << "this does not hold: " << condition << std::endl;
	std::abort();
}

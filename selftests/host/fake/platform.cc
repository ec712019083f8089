// SPDX-License-Identifier: GPL-2.0-only
/* PEs and tables, and how the kernel's own platform code makes and uses them. */
#include "fake/platform.h"

#include <algorithm>
#include <cerrno>

#include "arch/powerpc/glue/bus.h"
#include "arch/powerpc/glue/ownership.h"
#include "fake/kernel.h"
#include "kernel/memory.h"

using fake::kernel;
using fake::KernelTable;
using fake::Point;
using fake::Tce;
using fake::Tces;

namespace fake {

iommu_group &Kernel::add_group()
{
	/* Groups of one platform have the same. */
	static const char platform = 0;
	iommu_table_group &group = groups.emplace_back();

	group.limits = {
		.tce32_start = 0,
		.tce32_size = 1UL << 26,
		.page_sizes = 1UL << 12 | 1UL << 16 | 1UL << 21 | 1UL << 24,
		.max_windows = KERNEL_MAX_TABLES,
		.max_levels = 5,
		.kernel_platform = &platform,
		.has_window_ops = true,
		.tables_in_memory = true,
		.fixed_window = false,
	};
	group.pe = { .phb = 1,
		     .number = static_cast<unsigned int>(groups.size()),
		     .node = 0,
		     .tce_kill_register = nullptr };
	iommu_group &added = iommu_groups.emplace_back();

	added.data = &group;
	return added;
}

/* As PowerNV's code does. */
void Kernel::add_device(iommu_group &group)
{
	iommu_table *table = group.data->tables[0];

	if (group.data->is_kept || !table)
		return;
	glue_table_group_unset_window(group.data, 0);
	put_table(table);
}

/*
 * The entries of a partition's table are the hypervisor's. They are another table's, when a window
 * was made under the same number while KVM kept the table of the one before.
 */
bool Kernel::was_made_anew(const iommu_table &table) const
{
	return table.liobn && std::ranges::count(tables, table.liobn, [](const auto &other) {
				      return other->liobn;
			      }) > 1;
}

void Kernel::put_table(iommu_table *table)
{
	if (--table->references)
		return;
	if (table->must_stay)
		complain("a table was freed that a PHB goes on reading");
	if (!was_made_anew(*table) && !table->entries().empty() && !m_expects_lost_counts)
		complain("a table was freed with mappings in it");
	if (!table->groups.empty())
		complain("a table was freed with groups on its list");
	table->free();
	std::erase_if(tables, [table](const auto &other) { return other.get() == table; });
}

KernelTable::KernelTable(const glue_table_geometry &shape) : iommu_table(shape) {}

Tces KernelTable::entries()
{
	std::lock_guard guard(mutex);

	return m_entries;
}

int KernelTable::exchange(unsigned long index, unsigned long *hpa, unsigned int *direction)
{
	std::lock_guard guard(mutex);
	Tce wanted = { *hpa, *direction };

	if (!has_entry(index))
		return 0;
	if (*hpa & ((1UL << shape.page_shift) - 1))
		kernel().complain("BUG: a TCE for a part of a page");
	if (shape.indirect_levels && !m_leaves.contains(leaf_of(index))) {
		if (wanted.direction == KERNEL_DMA_NONE) {
			*hpa = 0;
			return 0;
		}
		if (kernel().failures.hit(Point::AllocLevel))
			return -ENOMEM;
		m_leaves.insert(leaf_of(index));
	}

	auto found = m_entries.find(index);
	Tce old = found == m_entries.end() ? Tce{ 0, KERNEL_DMA_NONE } : found->second;

	m_entries.erase(index);
	/* A PHB that may write also reads. */
	if (wanted.direction == KERNEL_DMA_FROM_DEVICE)
		wanted.direction = KERNEL_DMA_BIDIRECTIONAL;
	if (wanted.direction != KERNEL_DMA_NONE)
		m_entries[index] = wanted;
	*hpa = old.hpa;
	*direction = old.direction;
	return 0;
}

unsigned long *KernelTable::view(unsigned long index, bool allocate)
{
	std::lock_guard guard(mutex);

	if (!has_entry(index))
		return nullptr;

	auto &leaf = m_view[leaf_of(index)];

	/* Without levels there is one block, which the kernel has made with the table. */
	if (!leaf &&
	    (!shape.indirect_levels || (allocate && !kernel().failures.hit(Point::AllocView))))
		leaf = std::make_unique<unsigned long[]>(leaf_size());
	return leaf ? &leaf[place(index) % leaf_size()] : nullptr;
}

void KernelTable::kill(unsigned long index, unsigned long pages)
{
	std::lock_guard guard(mutex);

	for (iommu_table_group *group : groups) {
		++group->invalidations;
		group->invalidate(*this, index, pages);
	}
}

} /* namespace fake */

iommu_table::iommu_table(const glue_table_geometry &shape) : shape(shape) {}

bool iommu_table::has_entry(unsigned long index) const
{
	if (index >= shape.offset && place(index) < shape.size)
		return true;
	kernel().complain("entry " + std::to_string(index) + " is outside of the table");
	return false;
}

unsigned long iommu_table::user_address(unsigned long index)
{
	unsigned long *word = view(index, false);

	return word ? __builtin_bswap64(__atomic_load_n(word, __ATOMIC_RELAXED)) : 0;
}

void iommu_table_group::invalidate(iommu_table &table, unsigned long first, unsigned long count)
{
	Tces now = table.entries();

	for (unsigned long num = 0; num < KERNEL_MAX_TABLES; ++num) {
		if (hardware[num] != &table)
			continue;
		cached[num].erase(cached[num].lower_bound(first),
				  cached[num].lower_bound(first + count));
		cached[num].insert(now.lower_bound(first), now.lower_bound(first + count));
	}
}

void iommu_table_group::invalidate_all()
{
	uses_bypass = bypass;
	for (unsigned long num = 0; num < KERNEL_MAX_TABLES; ++num)
		cached[num] = hardware[num] && tables[num] ? tables[num]->entries() : Tces();
}

bool iommu_table_group::uses_old_entries()
{
	for (unsigned long num = 0; num < KERNEL_MAX_TABLES; ++num) {
		if (tables[num] && cached[num] != tables[num]->entries())
			return true;
	}
	return false;
}

/* What the firmware answers; means nothing as an errno. */
static constexpr long firmware_error = -6;

/* The PHB of @group reads @table as window @num from now on; nullptr: none. */
static long set_hardware(iommu_table_group &group, unsigned int num, iommu_table *table)
{
	std::lock_guard guard(group.mutex);
	iommu_table *&window = group.hardware.at(num);

	if (kernel().failures.hit(table ? Point::SetWindow : Point::UnsetWindow)) {
		if (window)
			window->must_stay = true;
		return firmware_error;
	}
	window = table;
	if (num)
		group.bypass = false;
	return 0;
}

static bool exists(const iommu_table *table)
{
	if (!table)
		kernel().complain("NULL is used as a table");
	return table;
}

void *iommu_group_get_iommudata(iommu_group *group)
{
	return group->data;
}

void glue_table_group_get_limits(iommu_table_group *group, glue_table_group_limits *limits)
{
	*limits = group->limits;
}

glue_ownership *glue_ownership_keep(iommu_table_group *tables)
{
	void *ownership = glue_alloc(1);

	if (!ownership)
		return nullptr;
	if (tables->is_kept)
		kernel().complain("a group is kept twice");
	tables->is_kept = true;
	return static_cast<glue_ownership *>(ownership);
}

void glue_ownership_end(glue_ownership *ownership, iommu_group *group, iommu_table_group *tables)
{
	kernel().might_sleep("the end of an ownership");
	if (group->data != tables || !tables->is_kept)
		kernel().complain("another group is given up");
	tables->is_kept = false;
	glue_free(ownership);
}

iommu_table *glue_table_group_table(iommu_table_group *group, unsigned int num)
{
	return group->tables.at(num);
}

unsigned long glue_table_group_get_table_size(iommu_table_group *, unsigned int page_shift,
					      unsigned long window_size, unsigned int levels)
{
	if (page_shift >= 64 || !(window_size >> page_shift) || !levels) {
		kernel().complain("UBSAN: the size of an impossible window");
		return 0;
	}
	if (kernel().failures.hit(Point::SizeTable))
		return 0;
	/* The table and the view. */
	return 2 * levels * std::max(window_size >> page_shift << 3, fake::page_size);
}

long glue_table_group_create_table(iommu_table_group *group, unsigned int num,
				   unsigned int page_shift, unsigned long window_size,
				   unsigned int levels, iommu_table **table)
{
	/* In a partition a window is a dynamic one, unless it is like the default one. */
	bool is_dynamic = kernel().hypervisor.is_there &&
			  (page_shift != 12 || window_size > group->limits.tce32_size);
	unsigned long start = num || is_dynamic ? fake::second_window_start
						: group->limits.tce32_start;
	unsigned long entries = window_size >> page_shift;
	/* What the platform code of PowerNV allocates is all the window's. */
	unsigned long least_entries = kernel().hypervisor.is_there ? 1 : fake::page_size / 8;
	unsigned long entries_shift = 63ul - static_cast<unsigned long>(__builtin_clzl(entries));
	unsigned long level_shift =
		std::max((entries_shift + levels - 1) / levels, KERNEL_PAGE_SHIFT - 3ul);

	kernel().might_sleep("the creation of a table");
	if (level_shift * levels + page_shift >= 55)
		return -EINVAL;
	if (kernel().failures.hit(Point::CreateTable))
		return -ENOMEM;
	*table = kernel().tables
			 .emplace_back(std::make_unique<KernelTable>(
				 glue_table_geometry{ .offset = start >> page_shift,
						      .size = std::max(entries, least_entries),
						      .page_shift = page_shift,
						      .indirect_levels = levels - 1,
						      .level_size = 1UL << level_shift,
						      .node = 0,
						      .base = nullptr }))
			 .get();
	if (kernel().hypervisor.is_there) {
		/* The new table is the group's at once. */
		(*table)->liobn =
			fake::dynamic_liobn + (group->pe.number - 1) * KERNEL_MAX_TABLES + num;
		kernel().hypervisor.tces[(*table)->liobn].clear();
		group->tables.at(num) = iommu_tce_table_get(*table);
	}
	return 0;
}

long glue_table_group_set_window(iommu_table_group *group, unsigned int num, iommu_table *table)
{
	kernel().might_sleep("the setting of a window");
	if (!exists(table))
		return -EINVAL;

	long error = set_hardware(*group, num, table);

	if (error)
		return error;

	/* The kernel says nothing of this. */
	if (kernel().failures.hit(Point::LinkTable))
		return 0;
	{
		std::lock_guard guard(table->mutex);

		table->groups.push_back(group);
	}
	glue_group_set_table(group, num, iommu_tce_table_get(table));
	group->invalidate_all();
	return 0;
}

long glue_table_group_unset_window(iommu_table_group *group, unsigned int num)
{
	iommu_table *table = glue_table_group_table(group, num);

	if (kernel().hypervisor.is_there)
		return fake::unset_partition_window(*group, num);

	long error = set_hardware(*group, num, nullptr);

	kernel().might_sleep("the removal of a window");
	if (!error)
		group->invalidate_all();
	if (table) {
		{
			std::lock_guard guard(table->mutex);

			std::erase(table->groups, group);
		}
		glue_group_set_table(group, num, nullptr);
		iommu_tce_table_put(table);
	}
	return error;
}

long glue_opal_map_window(const glue_pe *pe, unsigned int num, unsigned int levels,
			  unsigned long table, unsigned long size, unsigned long page_size)
{
	iommu_table *found = nullptr;

	for (auto &candidate : kernel().tables) {
		if (reinterpret_cast<unsigned long>(candidate->shape.base) == table)
			found = candidate.get();
	}
	if (!levels)
		return set_hardware(kernel().group_of(*pe), num, nullptr);
	if (!found || levels != found->shape.indirect_levels + 1 ||
	    size != found->shape.level_size << 3 || page_size != 1UL << found->shape.page_shift) {
		kernel().complain("the firmware is given something that is not a table");
		return firmware_error;
	}

	long error = set_hardware(kernel().group_of(*pe), num, found);

	if (!error)
		kernel().run(fake::Hook::WindowMapped);
	return error;
}

iommu_table *iommu_tce_table_get(iommu_table *table)
{
	if (exists(table))
		++table->references;
	return table;
}

int iommu_tce_table_put(iommu_table *table)
{
	bool last = exists(table) && table->references == 1;

	if (table)
		kernel().put_table(table);
	return last;
}

void glue_table_get_geometry(iommu_table *table, glue_table_geometry *geometry)
{
	*geometry = table->shape;
}

int glue_table_exchange(iommu_table *table, unsigned long index, unsigned long *hpa,
			unsigned int *direction)
{
	return exists(table) ? table->exchange(index, hpa, direction) : -EIO;
}

void *glue_table_view(iommu_table *table, unsigned long index, bool allocate)
{
	return exists(table) ? table->view(index, allocate) : nullptr;
}

void iommu_tce_kill(iommu_table *table, unsigned long index, unsigned long pages)
{
	if (exists(table) && pages && table->has_entry(index) &&
	    table->has_entry(index + pages - 1))
		table->kill(index, pages);
}

void iommu_flush_tce(iommu_table *table)
{
	exists(table);
}

unsigned int glue_mmio_windows(iommu_group *group, glue_bus_range windows[GLUE_MOST_MMIO_WINDOWS])
{
	const std::vector<glue_bus_range> &mmio = group->mmio;

	std::copy(mmio.begin(), mmio.end(), windows);
	return static_cast<unsigned int>(mmio.size());
}

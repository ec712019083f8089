// SPDX-License-Identifier: GPL-2.0-only
/* Tables of the driver's own on PowerNV: their memory, their links, and the firmware. */
#include "arch/powerpc/glue/own_table.h"
#include "arch/powerpc/platforms/powernv/glue/opal.h"
#include "arch/powerpc/platforms/powernv/glue/phb3.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "arch/powerpc/own_tables/own_table.h"
#include "fake/kernel.h"
#include "kernel/memory.h"

using fake::DriverTable;
using fake::kernel;
using fake::Point;
using fake::Tces;

namespace {

/* Of PHB3's TCE kill register. */
constexpr unsigned long phb3_kill_pe = 1UL << 62;
constexpr unsigned long phb3_kill_page = 1UL << 61;

/* Of a TCE. */
constexpr unsigned long read_bit = 1;
constexpr unsigned long write_bit = 2;

unsigned int direction_of(unsigned long tce)
{
	if (tce & write_bit)
		return tce & read_bit ? KERNEL_DMA_BIDIRECTIONAL : KERNEL_DMA_FROM_DEVICE;
	return KERNEL_DMA_TO_DEVICE;
}

} /* namespace */

namespace fake {

iommu_table_group &Kernel::group_of(const glue_pe &pe)
{
	return *std::find_if(groups.begin(), groups.end(), [&](const iommu_table_group &group) {
		return group.pe.number == pe.number;
	});
}

void Kernel::forget_level(void *block)
{
	std::lock_guard guard(m_mutex);

	if (!m_levels.erase(block))
		complain("a level is freed that there is not");
}

void Kernel::remember_level(void *block)
{
	std::lock_guard guard(m_mutex);

	m_levels.insert(block);
}

/* Reads the table as a PHB does. @place counts the entries before the block. */
void DriverTable::read(const unsigned long *block, unsigned long level, unsigned long place,
		       Tces &tces)
{
	for (unsigned long i = 0; i < shape.level_size; ++i) {
		unsigned long tce = __builtin_bswap64(__atomic_load_n(&block[i], __ATOMIC_ACQUIRE));
		unsigned long page = tce & ~(read_bit | write_bit);
		unsigned long number = place * shape.level_size + i;

		if (!(tce & (read_bit | write_bit)))
			continue;
		if (level)
			read(reinterpret_cast<const unsigned long *>(page), level - 1, number,
			     tces);
		else if (has_entry(shape.offset + number))
			tces[shape.offset + number] = { page, direction_of(tce) };
		if (!level && page & ((1UL << shape.page_shift) - 1))
			kernel().complain("a TCE for a part of a page");
	}
}

Tces DriverTable::entries()
{
	Tces tces;

	read(static_cast<const unsigned long *>(shape.base), shape.indirect_levels, 0, tces);
	return tces;
}

int OwnTable::exchange(unsigned long index, unsigned long *hpa, unsigned int *direction)
{
	ops->exchange(this, index, hpa, direction);
	return 0;
}

unsigned long *OwnTable::view(unsigned long index, bool allocate)
{
	return static_cast<unsigned long *>(ops->view(this, index, allocate));
}

void OwnTable::kill(unsigned long index, unsigned long pages)
{
	ops->kill(this, index, pages);
}

void OwnTable::free()
{
	ops->free(this);
}

/* KVM does not get to see the view, so it is read as the driver does. */
static kcxx::AtomicBigEndian *find_view(iommu_table *table, unsigned long index)
{
	return tce::OwnTable::of(table).entries().find(tce::TceIndex(index)).view;
}

unsigned long OwnTable::user_address(unsigned long index)
{
	kcxx::AtomicBigEndian *word = find_view(this, index);

	return word ? word->load() : 0;
}

bool OwnTable::has_view(unsigned long index)
{
	return find_view(this, index);
}

} /* namespace fake */

bool glue_opal_is_firmware()
{
	return true;
}

bool glue_opal_find()
{
	return kernel().finds_opal;
}

void glue_opal_say_not_found()
{
	++kernel().opal_messages;
}

bool glue_pe_of_group(iommu_group *group, glue_pe *pe)
{
	kernel().might_sleep("the search for a PE");
	*pe = group->data->pe;
	return group->data->has_pe;
}

long glue_opal_kill_pe(const glue_pe *pe)
{
	iommu_table_group &group = kernel().group_of(*pe);
	std::lock_guard guard(group.mutex);

	++group.invalidations;
	group.invalidate_all();
	return kernel().failures.hit(Point::KillPe) ? -1 : 0;
}

/* A whole PE, or one page of it, whatever the page's size. */
void glue_phb3_write_tce_kill(void *tce_kill_register, unsigned long value)
{
	iommu_table_group &group = *static_cast<iommu_table_group *>(tce_kill_register);
	unsigned long address = value & ~(phb3_kill_page | 0xffful);
	std::lock_guard guard(group.mutex);

	if ((value & 0xff) != group.pe.number)
		kernel().complain("a write to the TCE kill register of another PHB");
	++group.invalidations;
	if (value & phb3_kill_pe) {
		group.invalidate_all();
		return;
	}
	for (iommu_table *table : group.hardware) {
		if (table && value & phb3_kill_page)
			group.invalidate(*table, address >> table->shape.page_shift, 1);
	}
}

void glue_phb3_unmap_registers() {}

void *glue_alloc_block(int, unsigned long size, bool may_sleep)
{
	if (may_sleep)
		kernel().might_sleep("the allocation of a level");
	if (size < fake::page_size || size & (size - 1))
		kernel().complain("a level is not a block of whole pages");
	if (kernel().failures.hit(Point::AllocLevel))
		return nullptr;
	kernel().run(fake::Hook::AllocatingLevel);

	void *block = std::aligned_alloc(fake::page_size, size);

	std::memset(block, 0, size);
	kernel().remember_level(block);
	return block;
}

void glue_free_block(void *block, unsigned long)
{
	kernel().forget_level(block);
	std::free(block);
}

iommu_table *glue_own_table_create(const glue_table_geometry *geometry, unsigned long liobn,
				   unsigned long, const glue_own_table_ops *ops, void *object)
{
	kernel().might_sleep("the creation of a table");
	if (kernel().failures.hit(Point::CreateTable))
		return nullptr;

	std::unique_ptr<iommu_table> table;

	if (kernel().hypervisor.is_there)
		table = std::make_unique<fake::PartitionTable>(*geometry);
	else
		table = std::make_unique<DriverTable>(*geometry);
	table->liobn = liobn;
	table->ops = ops;
	table->object = object;
	return kernel().tables.emplace_back(std::move(table)).get();
}

void *glue_own_table_object(iommu_table *table)
{
	return table->object;
}

void glue_group_set_table(iommu_table_group *group, unsigned int num, iommu_table *table)
{
	/* There the driver's table takes the place of the kernel's, and back. */
	if (kernel().hypervisor.is_there) {
		group->tables.at(num) = table;
		return;
	}

	std::lock_guard guard(group->mutex);

	if (table && group->tables.at(num))
		kernel().complain("a window is set in a slot that is taken");
	if (!table && !group->hardware.at(num) && !group->cached.at(num).empty())
		kernel().complain("a window is gone, but the PHB has not forgotten its TCEs");
	group->tables.at(num) = table;
	/* What a PHB that refused does from here on nobody can help. */
	if (!table)
		group->cached.at(num).clear();
}

// SPDX-License-Identifier: GPL-2.0-only
/* A partition: its hypervisor, and the driver's tables of its windows. */
#include "arch/powerpc/platforms/pseries/glue/device_tree.h"
#include "arch/powerpc/platforms/pseries/glue/hypercalls.h"

#include <cstdlib>

#include "fake/kernel.h"

using fake::kernel;
using fake::PartitionTable;
using fake::Point;

namespace {

constexpr long h_parameter = -4;
constexpr long h_not_enough_resources = -44;
constexpr unsigned long list_size = 4096;
constexpr unsigned long permission_bits = 3;

void set(unsigned long liobn, unsigned long number, unsigned long tce)
{
	auto &tces = kernel().hypervisor.tces[liobn];

	if (tce & permission_bits)
		tces[number] = tce;
	else
		tces.erase(number);
}

/* The entry's number; 4K pages are all that the tests map. */
unsigned long number_of(unsigned long address)
{
	return address >> 12;
}

} /* namespace */

namespace fake {

Tces PartitionTable::entries()
{
	Tces entries;

	for (auto [number, tce] : kernel().hypervisor.tces[liobn]) {
		unsigned int direction = (tce & permission_bits) == permission_bits
						 ? KERNEL_DMA_BIDIRECTIONAL
					 : tce & 1 ? KERNEL_DMA_TO_DEVICE
						   : KERNEL_DMA_FROM_DEVICE;

		if (has_entry(number))
			entries[number] = { tce & ~permission_bits, direction };
	}
	return entries;
}

long unset_partition_window(iommu_table_group &group, unsigned int num)
{
	iommu_table *&table = group.tables.at(num);

	kernel().might_sleep("the removal of a window");
	if (!table)
		return 0;
	if (!dynamic_cast<KernelTable *>(table))
		kernel().complain("the kernel finds a table that is not its own");
	if (kernel().failures.hit(Point::UnsetWindow))
		return -ENODEV;
	/* With all that is in it. */
	kernel().hypervisor.tces.erase(table->liobn);
	iommu_tce_table_put(table);
	table = nullptr;
	return 0;
}

} /* namespace fake */

bool glue_papr_is_one()
{
	return kernel().hypervisor.is_there;
}

bool glue_papr_has_multi_tce()
{
	return kernel().hypervisor.says_multi_tce;
}

bool glue_papr_default_window(iommu_group *group, glue_firmware_window *window)
{
	kernel().might_sleep("the search for a window");
	if (!group->data->firmware_window)
		return false;
	*window = *group->data->firmware_window;
	return true;
}

unsigned long glue_table_liobn(iommu_table *table)
{
	return table->liobn;
}

long glue_h_put_tce(unsigned long liobn, unsigned long address, unsigned long tce)
{
	++kernel().hypervisor.puts;
	if (kernel().failures.hit(Point::PutTce))
		return h_not_enough_resources;
	set(liobn, number_of(address), tce);
	return 0;
}

long glue_h_put_tce_indirect(unsigned long liobn, unsigned long address, void *list,
			     unsigned long count)
{
	const unsigned long *tces = static_cast<const unsigned long *>(list);

	++kernel().hypervisor.indirects;
	if (!kernel().hypervisor.has_multi_tce)
		return KERNEL_H_FUNCTION;
	if (reinterpret_cast<unsigned long>(list) % list_size || !count || count > 512) {
		kernel().complain("a list that the hypervisor does not take");
		return h_parameter;
	}

	bool fails = kernel().failures.hit(Point::PutTceIndirect);

	/* A failure leaves a part of it done. */
	for (unsigned long i = 0; i < (fails ? count / 2 : count); ++i)
		set(liobn, number_of(address) + i, __builtin_bswap64(tces[i]));
	return fails ? h_not_enough_resources : 0;
}

long glue_h_stuff_tce(unsigned long liobn, unsigned long address, unsigned long tce,
		      unsigned long count)
{
	++kernel().hypervisor.stuffs;
	if (!kernel().hypervisor.has_multi_tce)
		return KERNEL_H_FUNCTION;
	if (!count || count > 512) {
		kernel().complain("a count that the hypervisor does not take");
		return h_parameter;
	}

	bool fails = kernel().failures.hit(Point::StuffTce);

	for (unsigned long i = 0; i < (fails ? count / 2 : count); ++i)
		set(liobn, number_of(address) + i, tce);
	return fails ? h_parameter : 0;
}

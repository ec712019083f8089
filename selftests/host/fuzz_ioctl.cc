// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls on three containers with three groups and two processes, on each kind of tables; in
 * some of the sequences there are containers of type 1, and mostly calls to these.
 * Each input is a sequence of calls, after each of which the driver has to agree with the model.
 */
#include <fuzzer/FuzzedDataProvider.h>

#include <iterator>

#include "checked_machine.h"

namespace {

using model::Access;
using model::Platform;

/* The first byte: a platform, and with some of its values type 1. */
constexpr unsigned char first_of_type1 = 240;
constexpr unsigned char last_of_type1 = 247;
constexpr Platform platforms[] = { Platform::OwnTables, Platform::KernelTables,
				   Platform::DynamicWindows, Platform::BorrowedWindow };

CheckedMachine::Setup read_setup(FuzzedDataProvider &data, unsigned char first)
{
	CheckedMachine::Setup setup = {};

	setup.platform = platforms[first % std::size(platforms)];
	setup.has_multi_tce = data.ConsumeBool();
	setup.locked_limit = data.PickValueInArray({ ~0UL, ~0UL, 300UL, 1500UL, 40UL });
	setup.default_window_start = data.PickValueInArray({ 0UL, 0UL, MiB });
	/* PowerNV has it at 0. Elsewhere it could begin within a large page. */
	if (setup.platform == Platform::OwnTables || setup.platform == Platform::KernelTables)
		setup.default_window_start = 0;
	return setup;
}

class Fuzzer {
public:
	explicit Fuzzer(FuzzedDataProvider &data)
		: m_data(data), m_first(data.ConsumeIntegral<unsigned char>()),
		  m_machine(read_setup(data, m_first))
	{
		/* What nearly all sequences would begin with. */
		if (has_type1()) {
			m_machine.switch_type1(true);
			m_machine.open_type1(0, 2);
			m_machine.open_type1(1, 1);
		} else {
			m_machine.open(0, 2);
			m_machine.open(1, m_data.ConsumeBool() ? 1 : 2);
		}
		m_machine.attach(0, 0);
	}

	void call()
	{
		if (has_type1())
			call_type1();
		else
			call_others();
	}

private:
	bool has_type1() const { return m_first >= first_of_type1 && m_first <= last_of_type1; }

	/* Which container is called, by whom, and in what kind of call; the first ones are made
	 * here. */
	unsigned int choose_kind()
	{
		unsigned int kind;

		m_container = pick(CheckedMachine::containers);
		/* Mostly the first. */
		m_process = pick(8) == 7;
		if (pick(16) == 15)
			m_machine.fail_next(1 + pick(40));
		kind = pick(16);
		switch (kind) {
		case 0:
			m_machine.attach(m_container, pick(CheckedMachine::groups));
			break;
		case 1:
			m_machine.detach(m_container, pick(CheckedMachine::groups));
			break;
		case 2:
			m_machine.close(m_container);
			break;
		case 3:
			if (has_type1())
				m_machine.open_type1(m_container, 1 + pick(2));
			else
				m_machine.open(m_container, 1 + pick(2));
			break;
		}
		return kind;
	}

	void call_others()
	{
		switch (choose_kind()) {
		case 4:
			change_memory(VFIO_IOMMU_SPAPR_REGISTER_MEMORY);
			break;
		case 5:
			change_memory(VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY);
			break;
		case 6:
		case 7:
			map();
			break;
		case 8:
			unmap();
			break;
		case 9:
			create();
			break;
		case 10:
			remove();
			break;
		case 11:
			ioctl(m_data.PickValueInArray(
				      { VFIO_IOMMU_ENABLE, VFIO_IOMMU_ENABLE, VFIO_IOMMU_DISABLE }),
			      0);
			break;
		case 12:
			m_machine.kvm_put(m_container, pick(model::max_windows), m_process,
					  pick(512), kvm_address());
			break;
		case 13:
			call_kvm();
			break;
		case 14:
			eeh();
			break;
		case 15:
			anything();
			break;
		}
	}

	void call_type1()
	{
		switch (choose_kind()) {
		case 4:
		case 5:
		case 6:
		case 7:
		case 8:
			map_type1();
			break;
		case 9:
		case 10:
		case 11:
			unmap_type1();
			break;
		case 12:
			get_type1_info();
			break;
		case 13:
			m_machine.check_extension(m_container, pick(16));
			break;
		case 14:
			m_machine.switch_type1(pick(4));
			break;
		case 15:
			call_others();
			break;
		}
	}

	unsigned int pick(unsigned int count)
	{
		return m_data.ConsumeIntegralInRange(0U, count - 1);
	}

	template <typename Argument>
	void ioctl(unsigned int command, const Argument &argument,
		   unsigned long size = sizeof(Argument))
	{
		Access access = m_data.PickValueInArray({ Access::ReadWrite, Access::ReadWrite,
							  Access::ReadWrite, Access::ReadWrite,
							  Access::ReadWrite, Access::ReadWrite,
							  Access::ReadOnly, Access::None });

		m_machine.ioctl(m_container, m_process, command, &argument, size, access);
	}

	/* Mostly a few pages from where something is; now and then anything. */
	unsigned long near(unsigned long base, unsigned long page)
	{
		unsigned char offset = m_data.ConsumeIntegral<unsigned char>();

		if (offset == 0xff)
			return m_data.ConsumeIntegral<unsigned long>();
		return base + (offset % 128) * page;
	}

	unsigned long address(unsigned long page)
	{
		return near(m_data.PickValueInArray(
				    { CheckedMachine::small_memory, CheckedMachine::small_memory,
				      CheckedMachine::huge_memory, CheckedMachine::huge_memory,
				      CheckedMachine::huge_memory + CheckedMachine::huge_size / 2,
				      CheckedMachine::huge_memory + CheckedMachine::huge_size }),
			    page);
	}

	unsigned long iova()
	{
		return near(m_data.PickValueInArray({ 0UL, 0UL, MiB, fake::second_window_start,
						      fake::second_window_start + 2 * MiB }),
			    page_4k);
	}

	unsigned long size(unsigned long page)
	{
		return near(m_data.PickValueInArray({ page, page, 0UL, CheckedMachine::small_size,
						      CheckedMachine::huge_size / 2,
						      CheckedMachine::huge_size }),
			    m_data.ConsumeBool() ? page : 0);
	}

	/* Where a range of what can be mapped begins or ends, and where a group has MMIO. */
	unsigned long type1_iova()
	{
		return near(m_data.PickValueInArray(
				    { 0UL, 0UL, 0UL, MiB - 8 * page_4k, 4 * GiB, 1UL << 47,
				      CheckedMachine::mmio_start - 8 * fake::page_size,
				      CheckedMachine::mmio_start + CheckedMachine::mmio_size,
				      (1UL << 48) - 8 * fake::page_size, fake::second_window_start,
				      -(8 * fake::page_size) }),
			    type1_page());
	}

	/* Mostly a few pages. */
	unsigned long type1_size()
	{
		unsigned int choice = pick(32);

		return choice < 24 ? choice * type1_page() : size(page_4k);
	}

	unsigned long type1_page() { return pick(4) ? fake::page_size : page_4k; }

	unsigned long kvm_address() { return pick(4) ? address(page_4k) & ~(page_4k - 1) : 0; }

	void change_memory(unsigned int command)
	{
		vfio_iommu_spapr_register_memory memory = {};

		memory.argsz = sizeof(memory);
		memory.vaddr = address(fake::page_size);
		memory.size = size(fake::page_size);
		ioctl(command, memory);
	}

	void map()
	{
		vfio_iommu_type1_dma_map map = {};

		map.argsz = sizeof(map);
		map.flags = pick(5);
		map.vaddr = address(page_4k);
		map.iova = iova();
		map.size = size(page_4k);
		ioctl(VFIO_IOMMU_MAP_DMA, map);
	}

	void unmap()
	{
		vfio_iommu_type1_dma_unmap unmap = {};

		unmap.argsz = sizeof(unmap);
		unmap.iova = iova();
		unmap.size = size(page_4k);
		ioctl(VFIO_IOMMU_UNMAP_DMA, unmap);
	}

	void map_type1()
	{
		vfio_iommu_type1_dma_map map = {};
		unsigned int flags = pick(8);

		map.argsz = sizeof(map);
		map.flags = flags < 5 ? flags : read_write;
		map.vaddr = pick(8) ? address(fake::page_size)
				    : CheckedMachine::small_memory + CheckedMachine::small_size -
					      fake::page_size;
		map.iova = type1_iova();
		map.size = type1_size();
		ioctl(VFIO_IOMMU_MAP_DMA, map);
	}

	void unmap_type1()
	{
		vfio_iommu_type1_dma_unmap unmap = {};

		unmap.argsz = sizeof(unmap);
		switch (pick(8)) {
		case 0:
			unmap.flags = 1 + pick(4);
			break;
		case 1:
			unmap.flags = VFIO_DMA_UNMAP_FLAG_ALL;
			break;
		default:
			unmap.iova = type1_iova();
			unmap.size = type1_size();
		}
		ioctl(VFIO_IOMMU_UNMAP_DMA, unmap);
	}

	void get_type1_info()
	{
		vfio_iommu_type1_info info = {};

		info.argsz = pick(2) ? CheckedMachine::argument_size : pick(140);
		ioctl(VFIO_IOMMU_GET_INFO, info);
	}

	/*
	 * A block of a table is read entry by entry, so a large window has levels; the kernel's
	 * have theirs, or none.
	 */
	void create()
	{
		vfio_iommu_spapr_tce_create create = {};
		unsigned int shift = m_data.PickValueInArray({ 20, 21, 22, 23, 30, 40, 50, 63 });

		create.argsz = sizeof(create);
		create.levels = pick(7);
		create.page_shift = m_data.PickValueInArray({ 12, 12, 12, 16, 21, 24, 13, 200 });
		if ((create.levels < 2 && shift == 30) ||
		    (m_machine.platform_of(m_container) != Platform::OwnTables && shift < 60))
			shift = 20 + shift % 5;
		create.window_size = (1UL << shift) + (pick(16) == 15 ? page_4k : 0);
		ioctl(VFIO_IOMMU_SPAPR_TCE_CREATE, create);
	}

	void remove()
	{
		vfio_iommu_spapr_tce_remove remove = {};

		remove.argsz = sizeof(remove);
		remove.start_addr = iova();
		ioctl(VFIO_IOMMU_SPAPR_TCE_REMOVE, remove);
	}

	void call_kvm()
	{
		if (pick(2))
			m_machine.start_hypercall(m_container, pick(model::max_windows), pick(512),
						  kvm_address());
		else
			m_machine.step_hypercall();
	}

	void eeh()
	{
		vfio_eeh_pe_op operation = {};

		operation.argsz = sizeof(operation);
		operation.op = pick(11);
		operation.err.type = pick(3);
		operation.err.func = pick(21);
		ioctl(VFIO_EEH_PE_OP, operation);
	}

	/* A call with a wrong argument, mostly. */
	void anything()
	{
		unsigned int words[10] = {};
		unsigned int command = m_data.PickValueInArray(
			{ VFIO_IOMMU_SPAPR_TCE_GET_INFO, VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA,
			  VFIO_IOMMU_SPAPR_REGISTER_MEMORY, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY,
			  VFIO_IOMMU_SPAPR_TCE_CREATE, VFIO_IOMMU_SPAPR_TCE_REMOVE, VFIO_EEH_PE_OP,
			  VFIO_IOMMU_GET_INFO });

		words[0] = pick(64);
		words[1] = pick(4);
		for (unsigned int i = 2; i < 10; ++i)
			words[i] = m_data.ConsumeIntegral<unsigned char>();
		/* Not a large window: see create(). */
		if (command == VFIO_IOMMU_SPAPR_TCE_CREATE)
			words[5] = 0;
		ioctl(command, words);
	}

	FuzzedDataProvider &m_data;
	const unsigned char m_first;
	CheckedMachine m_machine;
	unsigned int m_container = 0;
	unsigned int m_process = 0;
};

} /* namespace */

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, unsigned long size);

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, unsigned long size)
{
	FuzzedDataProvider data(bytes, size);
	Fuzzer fuzzer(data);

	while (data.remaining_bytes())
		fuzzer.call();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "model_sequences.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "model_setup.h"

using model::Access;
using model::Platform;

namespace played {

namespace {

class Generator {
public:
	Generator(const Setup &setup, const model_run &run, unsigned long seed)
		: m_setup(setup), m_has_v1(run.has_v1), m_random(seed)
	{
	}

	unsigned long pick_limit()
	{
		return pick_of({ 40UL, 300UL, 2500UL, 6000UL, 40000UL, 530000UL });
	}

	std::vector<Call> make()
	{
		unsigned int count = 20 + pick(60);

		/* What nearly all sequences would begin with. */
		attach(0);
		m_call.container = 0;
		if (m_calls.back().version == 1)
			ioctl(VFIO_IOMMU_ENABLE, 0);
		else
			change_memory(VFIO_IOMMU_SPAPR_REGISTER_MEMORY, 0);
		for (unsigned int i = 0; i < count; ++i)
			call();
		return std::move(m_calls);
	}

private:
	unsigned int pick(unsigned int count)
	{
		return static_cast<unsigned int>(m_random() % count);
	}

	unsigned int pick_of_size(unsigned long size)
	{
		return pick(static_cast<unsigned int>(size));
	}

	template <typename T> T pick_of(std::initializer_list<T> list)
	{
		return list.begin()[pick(static_cast<unsigned int>(list.size()))];
	}

	void call()
	{
		m_call = { .kind = Kind::Ioctl, .container = pick(8) == 7 };
		m_call.process = pick(16) == 15;
		m_call.access = pick(16) ? Access::ReadWrite
					 : pick_of({ Access::ReadOnly, Access::None });
		switch (pick(24)) {
		case 0:
			attach(pick_of_size(m_setup.groups.size()));
			break;
		case 1:
			m_call.kind = pick(4) ? Kind::Detach : Kind::Close;
			m_call.group = pick_of_size(m_setup.groups.size());
			m_call.closes_group = pick(2);
			add();
			break;
		case 2:
			check_extension();
			break;
		case 3:
			get_info();
			break;
		case 4:
			enable();
			break;
		case 5:
		case 6:
			change_memory(VFIO_IOMMU_SPAPR_REGISTER_MEMORY, pick(regions + 4));
			break;
		case 7:
			change_memory(VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, pick(regions + 1));
			break;
		case 8:
		case 9:
			create();
			break;
		case 10:
			remove();
			break;
		case 11:
			anything();
			break;
		case 12:
		case 13:
		case 14:
		case 15:
			unmap();
			break;
		case 16:
		case 17:
			if (m_has_v1)
				enable();
			break;
		default:
			map();
			break;
		}
	}

	void add()
	{
		m_call.chance = m_random();
		m_calls.push_back(m_call);
	}

	template <typename Argument> void ioctl(unsigned int command, const Argument &argument)
	{
		m_call.kind = Kind::Ioctl;
		m_call.command = command;
		m_call.size = sizeof(argument);
		std::memcpy(m_call.argument, &argument, sizeof(argument));
		add();
	}

	void attach(unsigned int group)
	{
		m_call.kind = Kind::Attach;
		m_call.group = group;
		m_call.version = m_has_v1 && pick(2) ? 1 : 2;
		add();
	}

	void enable() { ioctl(pick(2) ? VFIO_IOMMU_ENABLE : VFIO_IOMMU_DISABLE, 0); }

	void check_extension()
	{
		m_call.kind = Kind::CheckExtension;
		m_call.command =
			pick_of<unsigned int>({ VFIO_SPAPR_TCE_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU,
						VFIO_EEH, 100, VFIO_DMA_CC_IOMMU });
		add();
	}

	void get_info()
	{
		vfio_iommu_spapr_tce_info info = {};

		info.argsz = pick_of<unsigned int>({ sizeof(info), sizeof(info), 8, 16, 15, 64 });
		info.flags = pick(4);
		ioctl(VFIO_IOMMU_SPAPR_TCE_GET_INFO, info);
	}

	/* Mostly a few pages from where something is; now and then anything. */
	unsigned long near(unsigned long base, unsigned long page)
	{
		unsigned int offset = pick(256);

		return offset == 255 ? m_random() : base + (offset % 128) * page;
	}

	unsigned long page_of_any()
	{
		return pick(4) ? page_4k : pick_of({ page_4k, 64 * KIB, huge_page() });
	}

	unsigned long huge_page() const
	{
		return m_setup.areas.size() > 2 ? 1UL << m_setup.areas[2].huge_shift : 64 * KIB;
	}

	unsigned long address(unsigned long page)
	{
		/* Mostly in the first, which is mostly registered. */
		const Area &area = m_setup.areas[pick(2) ? pick_of_size(m_setup.areas.size()) : 0];
		unsigned int where = pick(256);

		if (where == 255)
			return m_random();
		/* Now and then beyond its end. */
		return area.start + (pick(32) ? where * page % area.size : where * page);
	}

	unsigned long iova(unsigned long page)
	{
		unsigned long second = m_setup.machine.second_window;

		return near(pick_of({ 0UL, 0UL, 0UL, MIB, 16 * MIB - 8 * page,
				      m_setup.modelled[0].default_size - 8 * page, second, second,
				      second + 2 * MIB }),
			    page);
	}

	unsigned long size(unsigned long page)
	{
		if (pick(4))
			return pick_of({ 1UL, 1UL, 2UL, 3UL, 5UL, 16UL }) * page;
		return pick_of({ page, page, page, 2 * page, 5 * page, 8 * page, 16 * page,
				 64 * page, huge_page(), huge_page() * huge_pages, 0UL,
				 m_random() % MIB, GIB }) +
		       (pick(32) ? 0 : m_random());
	}

	static constexpr unsigned int regions = 8;

	/* Some regions come again; beyond them it is any. */
	void change_memory(unsigned int command, unsigned int region)
	{
		vfio_iommu_spapr_register_memory memory = {};
		unsigned long page = page_size();
		const std::vector<Area> &areas = m_setup.areas;
		const Area &small = areas[0];
		const Area &huge = areas[areas.size() > 2 ? 2 : 0];
		const Area &last = areas.back();
		const std::pair<unsigned long, unsigned long> known[regions] = {
			{ small.start, small.size },
			{ small.start, small.size / 2 },
			{ small.start + small.size / 2, small.size / 2 },
			{ small.start + 2 * page, 3 * page },
			{ areas[1].start, areas[1].size },
			{ huge.start, huge.size },
			{ huge.start, huge.size / 2 },
			{ last.start, last.size },
		};

		memory.argsz = sizeof(memory);
		memory.vaddr = region < regions ? known[region].first : address(page);
		memory.size = region < regions ? known[region].second : size(page);
		ioctl(command, memory);
	}

	void map()
	{
		vfio_iommu_type1_dma_map map = {};
		unsigned long page = page_of_any();

		map.argsz = sizeof(map);
		map.flags = pick(8) ? 1 + pick(3) : pick(8);
		map.vaddr = address(page);
		map.iova = iova(page);
		map.size = size(page);
		if (!m_maps.empty() && !pick(4))
			map.iova = m_maps[pick_of_size(m_maps.size())].iova;
		if (map.size < GIB)
			m_maps.push_back(map);
		ioctl(VFIO_IOMMU_MAP_DMA, map);
	}

	void unmap()
	{
		vfio_iommu_type1_dma_unmap unmap = {};
		unsigned long page = page_of_any();

		unmap.argsz = sizeof(unmap);
		unmap.iova = iova(page);
		unmap.size = size(page);
		/* Mostly what was mapped. */
		if (!m_maps.empty() && pick(4)) {
			const vfio_iommu_type1_dma_map &map =
				m_maps[m_maps.size() - 1 -
				       pick_of_size(std::min(m_maps.size(), 4UL))];

			unmap.iova = map.iova + (pick(4) ? 0 : page);
			unmap.size = pick(4) ? map.size : page;
		}
		ioctl(VFIO_IOMMU_UNMAP_DMA, unmap);
	}

	/* Not a table of one level that takes much of the memory, and may not be had. */
	void create()
	{
		vfio_iommu_spapr_tce_create create = {};
		unsigned int shift = pick_of({ 20U, 21U, 22U, 24U, 30U, 40U, 50U, 63U });
		bool has_levels = m_setup.modelled[0].max_levels > 1;

		create.argsz = sizeof(create);
		create.levels = pick(4) ? 1 + pick(2) : pick(7);
		create.page_shift = pick_of({ 12U, 12U, 12U, 16U, 16U, 21U, 24U, 30U, 13U, 200U });
		if (shift == 40 && (!has_levels || create.levels < 2))
			shift = 23;
		create.window_size = (1UL << shift) + (pick(16) ? 0 : page_4k);
		/* The firmware's own. */
		if (m_setup.modelled[0].platform == Platform::BorrowedWindow && pick(2))
			create.window_size = m_setup.modelled[0].default_size;
		ioctl(VFIO_IOMMU_SPAPR_TCE_CREATE, create);
	}

	void remove()
	{
		vfio_iommu_spapr_tce_remove remove = {};

		remove.argsz = sizeof(remove);
		remove.start_addr = pick(2) ? iova(page_4k)
					    : pick_of({ 0UL, m_setup.machine.second_window });
		ioctl(VFIO_IOMMU_SPAPR_TCE_REMOVE, remove);
	}

	/* A call with a wrong argument, mostly. */
	void anything()
	{
		unsigned int words[10] = {};
		unsigned int command = pick_of<unsigned int>(
			{ VFIO_IOMMU_SPAPR_TCE_GET_INFO, VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA,
			  VFIO_IOMMU_SPAPR_REGISTER_MEMORY, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY,
			  VFIO_IOMMU_SPAPR_TCE_CREATE, VFIO_IOMMU_SPAPR_TCE_REMOVE, VFIO_EEH_PE_OP,
			  VFIO_IOMMU_GET_INFO });

		words[0] = pick(64);
		words[1] = pick(4);
		for (unsigned int i = 2; i < 10; ++i)
			words[i] = pick(256);
		/* None that takes the device away. */
		if (command == VFIO_EEH_PE_OP)
			words[2] = pick(2) ? VFIO_EEH_PE_GET_STATE : words[2] | 0x80;
		/* Not a large window. */
		if (command == VFIO_IOMMU_SPAPR_TCE_CREATE)
			words[5] = 0;
		ioctl(command, words);
	}

	const Setup &m_setup;
	const bool m_has_v1;
	std::mt19937_64 m_random;
	Call m_call = {};
	std::vector<Call> m_calls;
	/* Those of them. */
	std::vector<vfio_iommu_type1_dma_map> m_maps;
};

} /* namespace */

Sequence make_sequence(const Setup &setup, const model_run &run, unsigned long seed)
{
	Generator generator(setup, run, seed);
	Sequence sequence = { .locked_limit = setup.locked_limit, .calls = {} };

	if (run.is_limited)
		sequence.locked_limit = generator.pick_limit();
	sequence.calls = generator.make();
	return sequence;
}

} /* namespace played */

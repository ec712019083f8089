// SPDX-License-Identifier: GPL-2.0-only
#include "model_setup.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>

extern "C" {
#include "memory.h"
}

using model::Platform;

namespace played {

namespace {

/* Where the areas are, apart from all else that a process has. */
constexpr unsigned long small_start = 64 * GIB;
constexpr unsigned long huge_start = 2 * TIB;

/* PowerNV's code counts blocks of all levels, twice: it has a view of its own. */
unsigned long table_size_of_powernv(unsigned int page_shift, unsigned long size,
				    unsigned int levels)
{
	unsigned int entries_shift = static_cast<unsigned int>(__builtin_ctzl(size)) - page_shift;
	unsigned long block = std::max(8UL << (entries_shift + levels - 1) / levels, page_size());
	unsigned long entries = size >> page_shift;
	unsigned long all = 0;

	for (unsigned int level = 0; level < levels; ++level) {
		entries = std::max(entries / (block / 8), 1UL);
		all += entries * block;
	}
	return 2 * all;
}

/* A partition's is one block of the hypervisor's. */
unsigned long table_size_of_partition(unsigned int page_shift, unsigned long size, unsigned int)
{
	return size >> page_shift << 3;
}

/* The kernel has a list of free blocks for each size. */
unsigned int find_block_shift()
{
	FILE *file = std::fopen("/proc/buddyinfo", "re");
	char zone[32];
	char line[512] = "";
	int used = 0;
	unsigned int sizes = 0;
	unsigned long blocks;

	if (!file || !std::fgets(line, sizeof(line), file) ||
	    std::sscanf(line, "Node %*d, zone %31s%n", zone, &used) != 1)
		die("no /proc/buddyinfo");
	std::fclose(file);
	for (const char *rest = line + used; std::sscanf(rest, "%lu%n", &blocks, &used) == 1;
	     rest += used)
		++sizes;
	return static_cast<unsigned int>(__builtin_ctzl(page_size())) + sizes - 1;
}

std::vector<Area> make_areas()
{
	unsigned long small = std::max(512 * KIB, 16 * page_size());
	std::vector<Area> areas = { { small_start, small, true, 0 },
				    { small_start + small, small / 8, false, 0 } };

	for (unsigned int shift : { TCE_SHIFT_2M, TCE_SHIFT_16M }) {
		unsigned long size = huge_pages << shift;

		if (memory_huge_free(shift) < static_cast<long>(huge_pages))
			continue;
		areas.push_back({ huge_start, size, true, shift });
		/* Where there are pages of 16M, the MMU has no others in the same terabyte. */
		areas.push_back(
			{ huge_start + (shift == TCE_SHIFT_16M ? TIB : size), small, true, 0 });
		break;
	}
	return areas;
}

/* What the driver tells of a group. */
model::Group find_group(const spapr &s)
{
	vfio_iommu_spapr_tce_info info;
	Platform platform = Platform::OwnTables;

	if (spapr_get_info(s.container, &info))
		die("no GET_INFO");
	if (spapr_is_partition())
		platform = spapr_has_dynamic_windows(s.container) ? Platform::DynamicWindows
								  : Platform::BorrowedWindow;
	else if (spapr_has_kernel_tables())
		platform = Platform::KernelTables;
	return { .platform = platform,
		 .default_start = info.dma32_window_start,
		 .default_size = info.dma32_window_size,
		 .page_sizes = info.ddw.pgsizes,
		 .max_windows = info.ddw.max_dynamic_windows_supported,
		 .max_levels = info.ddw.levels,
		 .has_pe = !spapr_has_no_eeh(s.container) };
}

} /* namespace */

void die(const char *what)
{
	std::printf("# %s\n", what);
	std::exit(1);
}

Setup make_setup()
{
	Setup setup = {};
	spapr_group groups[SPAPR_MAX_GROUPS];
	int found = spapr_discover(groups, SPAPR_MAX_GROUPS);

	for (int group = 0; group < found; ++group) {
		spapr s;

		if (spapr_open_group(&s, group))
			die("no container");
		setup.groups.push_back(groups[group]);
		setup.modelled.push_back(find_group(s));
		setup.has_eeh = spapr_check_extension(s.container, VFIO_EEH);
		spapr_close(&s);
	}
	setup.areas = make_areas();
	setup.machine = {
		.kernel_page_shift = static_cast<unsigned int>(__builtin_ctzl(page_size())),
		.ram_pages = static_cast<unsigned long>(sysconf(_SC_PHYS_PAGES)),
		.block_shift = find_block_shift(),
		.second_window = 1UL << 59,
		.table_size = spapr_is_partition() ? table_size_of_partition : table_size_of_powernv
	};
	return setup;
}

} /* namespace played */

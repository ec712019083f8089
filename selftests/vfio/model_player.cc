// SPDX-License-Identifier: GPL-2.0-only
#include "model_player.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model_machine.h"

extern "C" {
#include "balance.h"
#include "memory.h"
}

using model::Access;
using model::Platform;

namespace played {

namespace {

constexpr unsigned long page_4k = 1UL << 12;
/* Where the areas are, apart from all else that a process has. */
constexpr unsigned long small_start = 64 * GIB;
constexpr unsigned long huge_start = 2 * TIB;
constexpr unsigned long huge_pages = 2;

[[noreturn]] void die(const char *what)
{
	std::printf("# %s\n", what);
	std::exit(1);
}

/* --- what the machine has ------------------------------------------------------------------ */

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

/* --- sequences ----------------------------------------------------------------------------- */

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

/* --- playing ------------------------------------------------------------------------------- */

/* What the process that plays a sequence says of it. */
struct Report {
	bool found;
	/* After which call; that is their number if it was in the end. */
	unsigned long call;
	unsigned int transfers_of_it;
	Transfer transfer[SPAPR_MAX_GROUPS];
	char what[256];
	unsigned long transfers;
};

const char *name_of(unsigned int command)
{
	switch (command) {
	case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
		return "GET_INFO";
	case VFIO_IOMMU_MAP_DMA:
		return "MAP_DMA";
	case VFIO_IOMMU_UNMAP_DMA:
		return "UNMAP_DMA";
	case VFIO_IOMMU_ENABLE:
		return "ENABLE";
	case VFIO_IOMMU_DISABLE:
		return "DISABLE";
	case VFIO_IOMMU_SPAPR_REGISTER_MEMORY:
		return "REGISTER_MEMORY";
	case VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY:
		return "UNREGISTER_MEMORY";
	case VFIO_IOMMU_SPAPR_TCE_CREATE:
		return "TCE_CREATE";
	case VFIO_IOMMU_SPAPR_TCE_REMOVE:
		return "TCE_REMOVE";
	case VFIO_EEH_PE_OP:
		return "EEH_PE_OP";
	default:
		return "ioctl";
	}
}

void print_ioctl(const Call &call)
{
	unsigned int head[2];
	unsigned long rest[3];

	std::memcpy(head, call.argument, sizeof(head));
	std::memcpy(rest, call.argument + sizeof(head), sizeof(rest));
	std::printf("# %s(container %u, process %u, { argsz %u, 0x%x, 0x%lx, 0x%lx, 0x%lx }%s)",
		    name_of(call.command), call.container, call.process, head[0], head[1], rest[0],
		    rest[1], rest[2],
		    call.access == Access::ReadWrite  ? ""
		    : call.access == Access::ReadOnly ? ", read-only"
						      : ", at 0");
}

void print(const Call &call)
{
	switch (call.kind) {
	case Kind::Attach:
		std::printf("# attach(container %u, group %u, v%u)", call.container, call.group,
			    call.version);
		break;
	case Kind::Detach:
		std::printf("# detach(container %u, group %u)%s", call.container, call.group,
			    call.closes_group ? " by a close" : "");
		break;
	case Kind::Close:
		std::printf("# close(container %u)", call.container);
		break;
	case Kind::CheckExtension:
		std::printf("# CHECK_EXTENSION(container %u, %u)", call.container, call.command);
		break;
	case Kind::Ioctl:
		print_ioctl(call);
		break;
	}
}

/* How a sequence is played. */
struct Mode {
	/* The devices do this after the last call, rather than what the calls say. */
	std::vector<Transfer> transfers = {};
	bool is_again = false;
	bool prints = false;
};

std::optional<Finding> play_call(PlayedMachine &machine, const Call &call, bool is_last,
				 const Mode &mode)
{
	if (mode.prints)
		print(call);

	std::optional<Finding> finding = machine.play(call);

	if (mode.prints)
		std::printf(" = %ld%s\n", machine.answer(),
			    machine.was_skipped() ? ", left out" : "");
	if (finding)
		return finding;
	if (!mode.is_again)
		return machine.try_devices(call);
	return is_last ? machine.transfer(mode.transfers) : std::nullopt;
}

/* Of pages there may be some that others have pinned: as many as before are wanted. */
std::optional<Finding> finish(PlayedMachine &machine, long pinned)
{
	std::optional<Finding> finding = machine.finish();
	long now = finding ? pinned : balance_pinned_settled(pinned);

	if (now != pinned)
		finding = Finding{ std::to_string(now - pinned) + " pages are still pinned" };
	return finding;
}

Report play(const Setup &setup, const std::vector<Call> &calls, const Mode &mode)
{
	Report report = {};
	long pinned = balance_pinned_pages();
	PlayedMachine machine(setup);
	std::optional<Finding> finding;

	for (; !finding && report.call < calls.size(); ++report.call)
		finding = play_call(machine, calls[report.call], report.call + 1 == calls.size(),
				    mode);
	if (finding)
		--report.call;
	else
		finding = finish(machine, pinned);
	report.found = finding.has_value();
	if (finding) {
		for (const Transfer &part : finding->transfers)
			report.transfer[report.transfers_of_it++] = part;
		std::snprintf(report.what, sizeof(report.what), "%s", finding->what.c_str());
	}
	report.transfers = machine.transfers();
	return report;
}

/* In a process of its own, which has locked nothing yet, and whose end closes what it has open. */
Report play_apart(const Setup &setup, const std::vector<Call> &calls, const Mode &mode)
{
	Report report = {};
	int ends[2];
	int status = 0;

	std::fflush(stdout);
	if (pipe2(ends, O_CLOEXEC))
		die("no pipe");

	pid_t child = fork();

	if (child < 0)
		die("no process");
	if (!child) {
		alarm(0);
		report = play(setup, calls, mode);
		std::fflush(stdout);
		_exit(write(ends[1], &report, sizeof(report)) != sizeof(report));
	}
	close(ends[1]);

	bool is_whole = read(ends[0], &report, sizeof(report)) == sizeof(report);

	close(ends[0]);
	waitpid(child, &status, 0);
	if (is_whole)
		return report;
	report.found = true;
	report.call = calls.size();
	std::snprintf(report.what, sizeof(report.what), "the process ended: status 0x%x", status);
	return report;
}

/* Each call is left out for which there is still a disagreement then; true if there was one. */
bool shorten_once(const Setup &setup, std::vector<Call> &calls, Report &report, const Mode &mode)
{
	bool is_shorter = false;

	for (unsigned long i = calls.size(); i-- > 0;) {
		std::vector<Call> fewer = calls;

		fewer.erase(fewer.begin() + static_cast<long>(i));

		Report again = play_apart(setup, fewer, mode);

		if (!again.found)
			continue;
		fewer.resize(std::min(again.call + 1, fewer.size()));
		calls = std::move(fewer);
		report = again;
		is_shorter = true;
		i = std::min(i, calls.size());
	}
	return is_shorter;
}

void shorten(const Setup &setup, std::vector<Call> &calls, Report &report)
{
	Mode again = { .is_again = true };

	again.transfers.assign(report.transfer, report.transfer + report.transfers_of_it);
	calls.resize(std::min(report.call + 1, calls.size()));
	while (shorten_once(setup, calls, report, again))
		;
	again.prints = true;

	Report last = play_apart(setup, calls, again);

	for (const Transfer &part : again.transfers)
		std::printf("# the device of group %u fetches from 0x%lx and stores to 0x%lx\n",
			    part.group, part.from, part.to);
	std::printf("# %s\n", last.found ? last.what : "which does not come again");
}

bool play_seed(Setup setup, model_run &run, unsigned long seed)
{
	Generator generator(setup, run, seed);

	if (run.is_limited)
		setup.locked_limit = generator.pick_limit();

	std::vector<Call> calls = generator.make();
	Report report = play_apart(setup, calls, {});

	++run.played;
	run.calls += calls.size();
	run.transfers += report.transfers;
	if (!report.found)
		return true;
	std::printf("# seed %lu, limit %ld, call %lu of %zu: %s\n", seed,
		    static_cast<long>(setup.locked_limit), report.call + 1, calls.size(),
		    report.what);
	shorten(setup, calls, report);
	return false;
}

long now()
{
	timespec time = {};

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

} /* namespace */

} /* namespace played */

bool model_play(model_run *run)
{
	const played::Setup setup = played::make_setup();
	long end = played::now() + run->seconds;

	for (int i = 0; i < run->sequences; ++i) {
		if (run->seconds && played::now() >= end)
			break;
		if (!played::play_seed(setup, *run, run->seed + static_cast<unsigned long>(i)))
			return false;
	}
	return true;
}

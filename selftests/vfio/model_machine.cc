// SPDX-License-Identifier: GPL-2.0-only
#include "model_machine.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include "balance.h"
}

using model::Entry;

namespace played {

namespace {

constexpr unsigned long page_4k = 1UL << 12;
/* Of each 4K, and of each transfer. */
constexpr unsigned int words_of_pattern = 8;
constexpr unsigned long pattern_size = words_of_pattern * sizeof(unsigned long);
/* What is remembered of a container. */
constexpr unsigned long most_places = 64;
/* So many calls that change entries, or do not, come for one that is followed by transfers. */
constexpr unsigned long changes_for_transfer = 2;
constexpr unsigned long others_for_transfer = 16;
/* Beyond these, but for the second window, there are addresses that are no memory at all. */
constexpr unsigned long end_of_places = 1UL << 48;

[[noreturn]] void die(const char *what)
{
	std::perror(what);
	std::exit(1);
}

int checked(int result, const char *what)
{
	if (result < 0)
		die(what);
	return result;
}

std::string hex(unsigned long number)
{
	char text[32];

	std::snprintf(text, sizeof(text), "0x%lx", number);
	return text;
}

/* VmLck, in pages. */
unsigned long locked_of(pid_t process)
{
	char path[64];
	char line[256];
	unsigned long kib = ~0UL;

	std::snprintf(path, sizeof(path), "/proc/%d/status", process);

	FILE *file = std::fopen(path, "re");

	if (!file)
		die(path);
	while (std::fgets(line, sizeof(line), file) && std::sscanf(line, "VmLck: %lu", &kib) != 1)
		;
	std::fclose(file);
	return kib / (page_size() / KIB);
}

/* The limit binds who has no CAP_IPC_LOCK. */
void limit_locked(unsigned long pages)
{
	__user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
	__user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	rlimit limit = { .rlim_cur = pages * page_size(), .rlim_max = pages * page_size() };

	checked(setrlimit(RLIMIT_MEMLOCK, &limit), "setrlimit");
	checked(static_cast<int>(syscall(SYS_capget, &header, data)), "capget");
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	data[0].permitted &= ~(1U << CAP_IPC_LOCK);
	checked(static_cast<int>(syscall(SYS_capset, &header, data)), "capset");
}

} /* namespace */

/* A call for the second process, in memory of both. */
struct PlayedMachine::Helper {
	/* The ends of these that are read and written. */
	int to[2];
	int from[2];
	int fd;
	unsigned long command;
	void *argument;
	long answer;
};

PlayedMachine::PlayedMachine(const Setup &setup)
	: m_setup(setup), m_state(setup.machine), m_groups(setup.groups.size(), -1),
	  m_devices(setup.groups.size())
{
	for (edu &device : m_devices)
		edu_init(&device);
	if (setup.locked_limit != ~0UL)
		limit_locked(setup.locked_limit);
	map_areas();
	start_helper();
	m_state.groups = setup.modelled;
	m_state.containers.resize(containers);
	for (unsigned int number = 0; number < processes; ++number) {
		model::Process &process = m_state.processes.emplace_back();

		process.locked_limit = setup.locked_limit;
		/* The same memory has the same pages. */
		for (const Area &area : setup.areas)
			process.memory.push_back({ area.start, area.size, area.start, area.writable,
						   area.huge_shift });
	}
}

PlayedMachine::~PlayedMachine()
{
	for (unsigned int group = 0; group < m_groups.size(); ++group) {
		close_device(group);
		if (m_groups[group] >= 0)
			::close(m_groups[group]);
	}
	for (int container : m_containers) {
		if (container >= 0)
			::close(container);
	}
	kill(m_helper_process, SIGKILL);
	waitpid(m_helper_process, nullptr, 0);
}

/* --- the processes ------------------------------------------------------------------------- */

static unsigned char *map_file(int file, unsigned long size, int protection, unsigned long where)
{
	int flags = MAP_SHARED | MAP_POPULATE | (where ? MAP_FIXED_NOREPLACE : 0);
	void *p = mmap(reinterpret_cast<void *>(where), size, protection, flags, file, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return static_cast<unsigned char *>(p);
}

/* The aliases come first: what is only read is not there before it is touched. */
void PlayedMachine::map_areas()
{
	for (const Area &area : m_setup.areas) {
		unsigned int flags =
			area.huge_shift ? MFD_HUGETLB | area.huge_shift << MAP_HUGE_SHIFT : 0;
		int file = checked(memfd_create("area", flags), "memfd_create");

		checked(ftruncate(file, static_cast<off_t>(area.size)), "ftruncate");
		m_aliases.push_back(map_file(file, area.size, PROT_READ | PROT_WRITE, 0));
		map_file(file, area.size, area.writable ? PROT_READ | PROT_WRITE : PROT_READ,
			 area.start);
		::close(file);
	}

	int file = checked(memfd_create("argument", 0), "memfd_create");

	checked(ftruncate(file, static_cast<off_t>(page_size())), "ftruncate");
	m_argument = map_file(file, page_size(), PROT_READ | PROT_WRITE, 0);
	m_read_only = map_file(file, page_size(), PROT_READ, 0);
	::close(file);
}

/* The second process has the files of the first, those that are opened later as well. */
void PlayedMachine::start_helper()
{
	void *shared = mmap(nullptr, page_size(), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		die("mmap");
	m_helper = static_cast<Helper *>(shared);
	checked(pipe2(m_helper->to, O_CLOEXEC), "pipe");
	checked(pipe2(m_helper->from, O_CLOEXEC), "pipe");

	long process =
		syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr);

	m_helper_process = checked(static_cast<int>(process), "clone");
	if (!process)
		serve();
}

void PlayedMachine::serve()
{
	volatile unsigned char touched;
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (const Area &area : m_setup.areas) {
		for (unsigned long at = area.start; at < area.start + area.size; at += page_size())
			touched = *reinterpret_cast<volatile unsigned char *>(at);
	}
	(void)touched;
	while (read(m_helper->to[0], &byte, 1) == 1) {
		int result = ::ioctl(m_helper->fd, m_helper->command, m_helper->argument);

		m_helper->answer = result < 0 ? -errno : result;
		if (write(m_helper->from[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

long PlayedMachine::call_by(unsigned int process, int fd, unsigned long command, void *argument)
{
	char byte = 0;

	if (!process)
		return spapr_ioctl(fd, command, argument);
	m_helper->fd = fd;
	m_helper->command = command;
	m_helper->argument = argument;
	if (write(m_helper->to[1], &byte, 1) != 1 || read(m_helper->from[0], &byte, 1) != 1)
		die("helper");
	return m_helper->answer;
}

/* --- calls --------------------------------------------------------------------------------- */

std::optional<Finding> PlayedMachine::play(const Call &call)
{
	unsigned long entries = count_entries(call.container);
	std::optional<Finding> finding = make(call);

	m_has_changed =
		count_entries(call.container) != entries ||
		(call.kind == Kind::Ioctl && call.command == VFIO_IOMMU_MAP_DMA && !m_answer);
	return finding;
}

unsigned long PlayedMachine::count_entries(unsigned int container) const
{
	unsigned long count = 0;

	for (const std::optional<model::Window> &window : m_state.containers[container].windows)
		count += window ? window->entries.size() : 0;
	return count;
}

std::optional<Finding> PlayedMachine::make(const Call &call)
{
	m_skipped = false;
	switch (call.kind) {
	case Kind::Ioctl:
		return ioctl(call);
	case Kind::CheckExtension:
		return check_extension(call);
	case Kind::Attach:
		return attach(call);
	case Kind::Detach:
		return detach(call.container, call.group, call.closes_group);
	case Kind::Close:
		return close(call.container);
	}
	return {};
}

std::optional<Finding> PlayedMachine::compare(long wanted)
{
	const pid_t ids[processes] = { getpid(), m_helper_process };

	if (m_answer != wanted)
		return Finding{ "the answer is " + std::to_string(m_answer) + ", the model's " +
				std::to_string(wanted) };
	for (unsigned int process = 0; process < processes; ++process) {
		unsigned long found = locked_of(ids[process]);
		unsigned long locked = m_state.processes[process].locked;

		if (found != locked)
			return Finding{ "process " + std::to_string(process) + " has locked " +
					std::to_string(found) + " pages, the model's " +
					std::to_string(locked) };
	}
	return {};
}

std::optional<Finding> PlayedMachine::ioctl(const Call &call)
{
	alignas(8) unsigned char answer[argument_size];
	void *argument = nullptr;

	m_skipped = !m_state.containers[call.container].is_open;
	if (m_skipped)
		return {};
	std::memcpy(answer, call.argument, argument_size);
	std::memcpy(m_argument, call.argument, argument_size);
	if (call.access != model::Access::None)
		argument = call.access == model::Access::ReadOnly ? m_read_only : m_argument;
	m_answer = call_by(call.process, m_containers[call.container], call.command, argument);

	std::optional<Finding> finding = compare(
		m_state.ioctl(call.container, call.process, call.command, answer, call.access));

	if (!finding && std::memcmp(m_argument, answer, argument_size))
		finding = Finding{ "the answer in the argument is another one" };
	if (!m_answer && call.command == VFIO_IOMMU_MAP_DMA)
		remember(call);
	return finding;
}

/* Both ends of what is mapped now. */
void PlayedMachine::remember(const Call &call)
{
	std::vector<unsigned long> &places = m_places[call.container];
	vfio_iommu_type1_dma_map map;

	std::memcpy(&map, call.argument, sizeof(map));
	places.push_back(map.iova);
	places.push_back(map.iova + map.size - page_4k);
	if (places.size() > most_places)
		places.erase(places.begin(), places.begin() + 2);
}

std::optional<Finding> PlayedMachine::check_extension(const Call &call)
{
	long wanted = 0;

	m_skipped = !m_state.containers[call.container].is_open;
	if (m_skipped)
		return {};
	if (call.command == VFIO_SPAPR_TCE_IOMMU || call.command == VFIO_SPAPR_TCE_v2_IOMMU)
		wanted = 1;
	else if (call.command == VFIO_EEH)
		wanted = m_setup.has_eeh;
	m_answer = call_by(call.process, m_containers[call.container], VFIO_CHECK_EXTENSION,
			   reinterpret_cast<void *>(static_cast<unsigned long>(call.command)));
	return compare(wanted);
}

/* Without groups a container has nothing of the driver. */
std::optional<Finding> PlayedMachine::attach(const Call &call)
{
	const model::Container &container = m_state.containers[call.container];
	bool is_new = !container.is_open;

	for (const model::Container &other : m_state.containers)
		m_skipped |= std::ranges::count(other.groups, call.group) != 0;
	if (m_skipped)
		return {};
	m_answer = open_container(call.container, call.group, is_new ? call.version : 0);
	if (is_new)
		m_state.open(call.container, call.version);

	std::optional<Finding> finding = compare(m_state.attach(call.container, call.group));

	if (finding || m_answer)
		return finding;

	int opened = edu_open(&m_devices[call.group], m_groups[call.group],
			      m_setup.groups[call.group].device);

	return opened ? std::optional(Finding{ "the device cannot be opened" }) : std::nullopt;
}

/* @version: 0 where it has one. */
long PlayedMachine::open_container(unsigned int number, unsigned int group, unsigned int version)
{
	std::string path = "/dev/vfio/" + std::to_string(m_setup.groups[group].number);
	int &container = m_containers[number];

	if (container < 0)
		container = checked(::open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "/dev/vfio/vfio");
	if (m_groups[group] < 0)
		m_groups[group] = checked(::open(path.c_str(), O_RDWR | O_CLOEXEC), path.c_str());

	long error = spapr_ioctl(m_groups[group], VFIO_GROUP_SET_CONTAINER, &container);

	if (!error && version)
		error = spapr_set_iommu(container, version == 1 ? VFIO_SPAPR_TCE_IOMMU
								: VFIO_SPAPR_TCE_v2_IOMMU);
	return error;
}

void PlayedMachine::close_device(unsigned int group)
{
	edu_close(&m_devices[group]);
}

std::optional<Finding> PlayedMachine::detach(unsigned int container, unsigned int group,
					     bool closes)
{
	const model::Container &target = m_state.containers[container];

	m_skipped = !std::ranges::count(target.groups, group);
	if (m_skipped)
		return {};
	close_device(group);
	if (closes) {
		m_answer = ::close(m_groups[group]) ? -errno : 0;
		m_groups[group] = -1;
	} else {
		m_answer = spapr_ioctl(m_groups[group], VFIO_GROUP_UNSET_CONTAINER, nullptr);
	}
	m_state.detach(container, group);
	if (target.groups.empty())
		m_state.close(container);
	return compare(0);
}

std::optional<Finding> PlayedMachine::close(unsigned int container)
{
	std::optional<Finding> finding;
	std::vector<unsigned int> groups = m_state.containers[container].groups;

	m_skipped = m_containers[container] < 0;
	for (unsigned int group : groups) {
		if (!finding)
			finding = detach(container, group, false);
	}
	if (m_containers[container] >= 0)
		::close(m_containers[container]);
	m_containers[container] = -1;
	return finding;
}

std::optional<Finding> PlayedMachine::finish()
{
	std::optional<Finding> finding;

	for (unsigned int container = 0; container < containers; ++container) {
		if (!finding)
			finding = close(container);
	}
	return finding;
}

/* --- what the devices reach ---------------------------------------------------------------- */

static unsigned long word_of(unsigned long address, unsigned int number, unsigned long key)
{
	return (address + number * sizeof(unsigned long)) ^ key;
}

/* Each 4K has a pattern of its own, which it had never before. */
void PlayedMachine::paint()
{
	m_key += 0x9e37'79b9'7f4a'7c15;
	for (unsigned long number = 0; number < m_aliases.size(); ++number) {
		const Area &area = m_setup.areas[number];

		for (unsigned long at = 0; at < area.size; at += page_4k) {
			auto *words = reinterpret_cast<unsigned long *>(m_aliases[number] + at);

			for (unsigned int i = 0; i < words_of_pattern; ++i)
				words[i] = word_of(area.start + at, i, m_key);
		}
	}
}

/* @target: the 4K of the user's that the address leads to. */
const Entry *PlayedMachine::find_entry(unsigned int container, unsigned long iova,
				       unsigned long &target) const
{
	for (const std::optional<model::Window> &window : m_state.containers[container].windows) {
		if (!window || !window->contains(iova))
			continue;

		auto entry = window->entries.find(iova >> window->page_shift);

		if (entry == window->entries.end())
			return nullptr;
		target = entry->second.user + (iova & (window->page_size() - 1));
		target &= ~(page_4k - 1);
		return &entry->second;
	}
	return nullptr;
}

std::optional<Finding> PlayedMachine::transfer(std::vector<Transfer> transfers)
{
	std::erase_if(transfers, [this](const Transfer &part) {
		return !std::ranges::count(m_state.containers[part.container].groups, part.group);
	});
	if (transfers.empty())
		return {};
	++m_transfers;
	paint();

	std::string difference = move_data(transfers) ? "a device does not answer"
						      : compare_memory(find_written(transfers));

	if (difference.empty())
		return {};
	return Finding{ difference, transfers };
}

/* All devices at the same time. */
int PlayedMachine::move_data(const std::vector<Transfer> &transfers)
{
	int error = 0;

	for (const Transfer &part : transfers)
		edu_begin_fetch(&m_devices[part.group], part.from, pattern_size);
	for (const Transfer &part : transfers)
		error |= edu_finish(&m_devices[part.group]);
	for (const Transfer &part : transfers)
		edu_begin_store(&m_devices[part.group], part.to, pattern_size);
	for (const Transfer &part : transfers)
		error |= edu_finish(&m_devices[part.group]);
	return error;
}

/* By the address: what is to be found there. */
std::map<unsigned long, PlayedMachine::Written> PlayedMachine::find_written(
	const std::vector<Transfer> &transfers) const
{
	std::map<unsigned long, Written> written;

	for (const Transfer &part : transfers) {
		unsigned long source = 0;
		unsigned long target = 0;
		const Entry *from = find_entry(part.container, part.from, source);
		const Entry *to = find_entry(part.container, part.to, target);

		if (to && to->device_writes)
			written[target] = { part, from && from->device_reads ? std::optional(source)
									     : std::nullopt };
	}
	return written;
}

/* The address of the 4K that the pattern is of, if it is one. */
std::optional<unsigned long> PlayedMachine::read_pattern(const unsigned char *at) const
{
	const auto *words = reinterpret_cast<const unsigned long *>(at);
	unsigned long address = words[0] ^ m_key;

	for (unsigned int i = 0; i < words_of_pattern; ++i) {
		if (words[i] != word_of(address, i, m_key))
			return std::nullopt;
	}
	return address;
}

std::string PlayedMachine::compare_memory(const std::map<unsigned long, Written> &written) const
{
	for (unsigned long number = 0; number < m_aliases.size(); ++number) {
		const Area &area = m_setup.areas[number];

		for (unsigned long at = 0; at < area.size; at += page_4k) {
			auto change = written.find(area.start + at);
			std::optional<unsigned long> found = read_pattern(m_aliases[number] + at);
			std::string difference =
				change == written.end()
					? compare_unwritten(area.start + at, found)
					: compare_written(area.start + at, found, change->second);

			if (!difference.empty())
				return difference;
		}
	}
	return {};
}

std::string PlayedMachine::compare_unwritten(unsigned long address,
					     std::optional<unsigned long> found)
{
	return found == address ? "" : "a device has written to " + hex(address);
}

/* What a device finds where it can read nothing is any data, but none of ours. */
std::string PlayedMachine::compare_written(unsigned long address,
					   std::optional<unsigned long> found,
					   const Written &wanted)
{
	if (found == wanted.source)
		return {};
	if (found == address)
		return "the device of group " + std::to_string(wanted.by.group) +
		       " could not write to " + hex(address);
	return "the device of group " + std::to_string(wanted.by.group) + " has read " +
	       (found ? hex(*found) : "nothing of ours") + ", not " +
	       (wanted.source ? hex(*wanted.source) : "nothing of ours");
}

/*
 * An emulated PHB takes an address beyond a window for one in it: it leaves out the upper bits. And
 * far from all windows there are addresses that are no memory at all.
 */
bool PlayedMachine::can_tell(const model::Container &container, unsigned long iova) const
{
	bool is_second = iova >= m_setup.machine.second_window;

	for (const std::optional<model::Window> &window : container.windows) {
		if (window && is_second == (window->start >= m_setup.machine.second_window))
			return window->contains(iova);
	}
	return iova < end_of_places || iova - m_setup.machine.second_window < end_of_places;
}

/* Where something may have changed, and beside that. */
std::vector<unsigned long> PlayedMachine::find_candidates(const Call &call) const
{
	std::vector<unsigned long> found = m_places[call.container];
	unsigned long words[argument_size / sizeof(unsigned long)];

	std::memcpy(words, call.argument, argument_size);
	for (const std::optional<model::Window> &window :
	     m_state.containers[call.container].windows) {
		if (!window)
			continue;
		found.push_back(window->start);
		found.push_back(window->start + window->size - page_4k);
	}
	if (call.kind != Kind::Ioctl ||
	    (call.command != VFIO_IOMMU_MAP_DMA && call.command != VFIO_IOMMU_UNMAP_DMA))
		return found;

	bool is_map = call.command == VFIO_IOMMU_MAP_DMA;
	unsigned long iova = words[is_map ? 2 : 1] & ~(page_4k - 1);
	unsigned long pages = words[is_map ? 3 : 2] / page_4k;
	unsigned long size = std::min(pages, end_of_places / page_4k) * page_4k;

	/* Mostly these. */
	for (unsigned long weight = 0; weight <= m_places[call.container].size() / 2; ++weight) {
		for (unsigned long at : { iova, iova - page_4k, iova + size, iova + size - page_4k,
					  iova + (pages ? call.chance % pages * page_4k : 0) })
			found.push_back(at);
	}
	return found;
}

/* One address that leads somewhere, for each window. */
std::vector<unsigned long> PlayedMachine::find_mapped(const model::Container &container,
						      unsigned long chance)
{
	std::vector<unsigned long> found;

	for (const std::optional<model::Window> &window : container.windows) {
		if (!window || window->entries.empty())
			continue;

		auto at = std::next(window->entries.begin(),
				    static_cast<long>(chance % window->entries.size()));

		found.push_back(at->first << window->page_shift);
	}
	return found;
}

std::optional<Finding> PlayedMachine::try_devices(const Call &call)
{
	const model::Container &container = m_state.containers[call.container];
	std::mt19937_64 random(call.chance);
	std::vector<unsigned long> candidates;
	std::vector<unsigned long> mapped = find_mapped(container, random());
	std::vector<Transfer> transfers;
	auto pick = [&](const std::vector<unsigned long> &list,
			const std::vector<unsigned long> &otherwise) {
		const std::vector<unsigned long> &from = list.empty() ? otherwise : list;

		return from[random() % from.size()];
	};

	if (m_skipped || call.chance % (m_has_changed ? changes_for_transfer : others_for_transfer))
		return {};
	for (unsigned long iova : find_candidates(call)) {
		if (can_tell(container, iova))
			candidates.push_back(iova);
	}
	if (candidates.empty() && mapped.empty())
		return {};
	for (unsigned int group : container.groups) {
		unsigned long target;
		unsigned long from = pick(candidates, mapped);
		/* What was read is seen only where it can be written. */
		bool is_to_mapped = !find_entry(call.container, from, target) || random() % 2;
		unsigned long to = is_to_mapped ? pick(mapped, candidates)
						: pick(candidates, mapped);

		transfers.push_back({ call.container, group, from, to });
	}
	return transfer(transfers);
}

} /* namespace played */

// SPDX-License-Identifier: GPL-2.0-only
#include "model_machine.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

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

/* What is remembered of a container. */
constexpr unsigned long most_places = 64;

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

} /* namespace played */

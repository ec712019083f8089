/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PlayedMachine: the real driver with containers, the groups of the edu devices and two processes,
 * and the model of it. Each call is made to both. Its answer, what the processes are charged with,
 * and what the devices reach by an entry have to be what the model says.
 *
 * Its memory is the same in both processes, and is there at a second address as well, by which the
 * patterns in it are written and read.
 */
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>
#include <unistd.h>

extern "C" {
#include "edu.h"
#include "vfio_spapr.h"
}
#include "selftests/model/model.h"

namespace played {

constexpr unsigned int containers = 2;
constexpr unsigned int processes = 2;
constexpr unsigned long argument_size = 64;
/* Memory is looked at in pieces of this size. */
constexpr unsigned long page_4k = 1UL << 12;

/* Memory of both processes. */
struct Area {
	unsigned long start;
	unsigned long size;
	bool writable;
	/* Of hugetlb pages (log2), or 0. */
	unsigned int huge_shift;
};

/* What the machine has. */
struct Setup {
	std::vector<spapr_group> groups;
	std::vector<model::Group> modelled;
	model::Machine machine;
	std::vector<Area> areas;
	bool has_eeh;
	/* Of each process, in pages. */
	unsigned long locked_limit = ~0UL;
};

enum class Kind { Ioctl, CheckExtension, Attach, Detach, Close };

struct Call {
	Kind kind;
	unsigned int container;
	unsigned int process = 0;
	unsigned int group = 0;
	/* Of a container that is opened for the group. */
	unsigned int version = 2;
	/* By a close of the group rather than by a call. */
	bool closes_group = false;
	/* The extension, if it is asked for one. */
	unsigned int command = 0;
	unsigned char argument[argument_size] = {};
	unsigned long size = 0;
	model::Access access = model::Access::ReadWrite;
	/* Decides what the device does after it. */
	unsigned long chance = 0;
};

/* A device fetches by one entry and stores by another. */
struct Transfer {
	unsigned int container;
	unsigned int group;
	unsigned long from;
	unsigned long to;
};

/* What the model does not say. */
struct Finding {
	std::string what;
	/* Which have shown it. */
	std::vector<Transfer> transfers = {};
};

class PlayedMachine {
public:
	explicit PlayedMachine(const Setup &setup);
	PlayedMachine(const PlayedMachine &) = delete;
	~PlayedMachine();

	/* Nothing if all is as the model says. */
	std::optional<Finding> play(const Call &call);
	/* The devices try what @call has changed and something else, if its chance says so. */
	std::optional<Finding> try_devices(const Call &call);
	/* But for those of groups that are not in the container. */
	std::optional<Finding> transfer(std::vector<Transfer> transfers);
	/* Everything is closed; nothing is left. */
	std::optional<Finding> finish();

	/* What the last call has answered. */
	long answer() const { return m_answer; }
	bool was_skipped() const { return m_skipped; }
	unsigned long transfers() const { return m_transfers; }

private:
	struct Helper;
	struct Written {
		Transfer by;
		/* Or nothing where the device can read nothing. */
		std::optional<unsigned long> source;
	};

	void map_areas();
	void start_helper();
	[[noreturn]] void serve();
	long call_by(unsigned int process, int fd, unsigned long command, void *argument);

	std::optional<Finding> make(const Call &call);
	std::optional<Finding> compare(long wanted);
	/* In the model. */
	unsigned long count_entries(unsigned int container) const;
	std::optional<Finding> ioctl(const Call &call);
	std::optional<Finding> check_extension(const Call &call);
	std::optional<Finding> attach(const Call &call);
	std::optional<Finding> detach(unsigned int container, unsigned int group, bool closes);
	std::optional<Finding> close(unsigned int container);
	long open_container(unsigned int container, unsigned int group, unsigned int version);
	void close_device(unsigned int group);

	void paint();
	const model::Entry *find_entry(unsigned int container, unsigned long iova,
				       unsigned long &target) const;
	bool can_tell(const model::Container &container, unsigned long iova) const;
	std::vector<unsigned long> find_candidates(const Call &call) const;
	static std::vector<unsigned long> find_mapped(const model::Container &container,
						      unsigned long chance);
	void remember(const Call &call);
	int move_data(const std::vector<Transfer> &transfers);
	std::map<unsigned long, Written> find_written(const std::vector<Transfer> &transfers) const;
	std::optional<unsigned long> read_pattern(const unsigned char *at) const;
	std::string compare_memory(const std::map<unsigned long, Written> &written) const;
	static std::string compare_unwritten(unsigned long address,
					     std::optional<unsigned long> found);
	static std::string compare_written(unsigned long address,
					   std::optional<unsigned long> found,
					   const Written &wanted);

	const Setup &m_setup;
	model::State m_state;
	long m_answer = 0;
	bool m_skipped = false;
	bool m_has_changed = false;
	int m_containers[containers] = { -1, -1 };
	std::vector<int> m_groups;
	std::vector<edu> m_devices;
	/* Where the areas are a second time. */
	std::vector<unsigned char *> m_aliases;
	Helper *m_helper = nullptr;
	pid_t m_helper_process = 0;
	/* A device that can read nothing keeps what it read for a process before. */
	unsigned long m_key = static_cast<unsigned long>(getpid()) << 32;
	/* Where entries were, or were to be. */
	std::vector<unsigned long> m_places[containers];
	unsigned long m_transfers = 0;
	/* The same page twice. */
	unsigned char *m_argument = nullptr;
	unsigned char *m_read_only = nullptr;
};

} /* namespace played */

// SPDX-License-Identifier: GPL-2.0-only
#include "model_player.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model_sequences.h"
#include "model_setup.h"

extern "C" {
#include "balance.h"
}

using model::Access;

namespace played {

namespace {

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
	auto [limit, calls] = make_sequence(setup, run, seed);

	setup.locked_limit = limit;

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

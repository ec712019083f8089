// SPDX-License-Identifier: GPL-2.0-only
#include "checked_machine.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "drivers/vfio/parameters.h"

using fake::Tces;
using model::Platform;
using model::State;

namespace {

constexpr unsigned long window_liobn = 0x8000'0001;
constexpr unsigned int huge_shift = 21;
/* The driver's. */
constexpr unsigned int default_mapping_limit = 65535;

unsigned long table_size(unsigned int page_shift, unsigned long size, unsigned int levels)
{
	return 2 * levels * std::max(size >> page_shift << 3, fake::page_size);
}

unsigned int direction_of(const model::Entry &entry)
{
	if (!entry.device_writes)
		return KERNEL_DMA_TO_DEVICE;
	return entry.device_reads ? KERNEL_DMA_BIDIRECTIONAL : KERNEL_DMA_FROM_DEVICE;
}

bool is_same(const std::pair<const unsigned long, fake::Tce> &found,
	     const std::pair<const unsigned long, model::Entry> &wanted)
{
	return found.first == wanted.first && found.second.hpa == wanted.second.page &&
	       found.second.direction == direction_of(wanted.second);
}

/* All entries but one are the same. */
bool is_same_but(const Tces &found, const std::map<unsigned long, model::Entry> &wanted,
		 unsigned long but)
{
	auto tce = found.begin();
	auto entry = wanted.begin();

	for (;;) {
		if (tce != found.end() && tce->first == but)
			++tce;
		if (entry != wanted.end() && entry->first == but)
			++entry;
		if (tce == found.end() || entry == wanted.end())
			return tce == found.end() && entry == wanted.end();
		if (!is_same(*tce++, *entry++))
			return false;
	}
}

constexpr unsigned long none = ~0UL;

std::string print(const char *what, unsigned long found, unsigned long wanted)
{
	return std::string(what) + ": " + std::to_string(found) + ", not " + std::to_string(wanted);
}

} /* namespace */

CheckedMachine::CheckedMachine(const Setup &setup)
	: m_platform(setup.platform),
	  m_state({ .kernel_page_shift = KERNEL_PAGE_SHIFT,
		    .ram_pages = m_kernel.ram_pages,
		    .block_shift = KERNEL_PAGE_SHIFT + KERNEL_MAX_PAGE_ORDER,
		    .second_window = fake::second_window_start,
		    .table_size = table_size })
{
	m_kernel.has_threads = false;
	m_kernel.hypervisor.is_there = is_partition();
	m_kernel.hypervisor.has_multi_tce = setup.has_multi_tce;
	tce_module_init(setup.platform == Platform::KernelTables);
	tce_dma_entry_limit = mapping_limit;
	m_state.mapping_limit = mapping_limit;
	for (mm_struct &process : m_processes) {
		fake::Kernel::set_current(&process);
		add_process(setup.locked_limit);
	}
	for (iommu_group *&group : m_groups) {
		group = &m_kernel.add_group();
		add_group(setup);
	}
	m_groups[groups - 1]->mmio = { { mmio_start, mmio_start + mmio_size - 1 } };
	m_state.groups.back().mmio = { { mmio_start, mmio_start + mmio_size - 1 } };
	for (Client &client : m_clients)
		client.checks_invalidation = false;
	for (unsigned long at = 0; at < argument_size; at += sizeof(unsigned long))
		m_kernel.protect(m_read_only + at, true);
	m_state.containers.resize(containers);
}

void CheckedMachine::add_process(unsigned long locked_limit)
{
	mm_struct &process = *fake::Kernel::current();

	process.mmap(small_memory, small_size);
	process.mmap(small_memory + small_size, read_only_size);
	process.memory.back().writable = false;
	process.mmap(huge_memory, huge_size, fake::Backing::HugeTlb, huge_shift);
	process.mmap(huge_memory + huge_size, small_size);
	process.locked_limit = locked_limit;

	model::Process &modelled = m_state.processes.emplace_back();

	modelled.locked_limit = locked_limit;
	for (const fake::UserMemory &memory : process.memory)
		modelled.memory.push_back({ memory.start, memory.size, memory.hpa, memory.writable,
					    memory.start == huge_memory ? huge_shift : 0 });
}

void CheckedMachine::add_group(const Setup &setup)
{
	iommu_group &group = m_kernel.iommu_groups.back();
	glue_table_group_limits &limits = group.data->limits;

	limits.tce32_start = setup.default_window_start;
	limits.tce32_size = default_window_size;
	limits.tables_in_memory = !is_partition();
	if (setup.platform == Platform::DynamicWindows) {
		limits.page_sizes = page_4k;
		limits.max_levels = 1;
	}
	if (setup.platform == Platform::BorrowedWindow) {
		limits.max_windows = ~0U;
		limits.max_levels = 0;
		group.data->firmware_window = { window_liobn + m_state.groups.size(),
						setup.default_window_start, default_window_size };
	}
	m_state.groups.push_back({ .platform = setup.platform,
				   .default_start = setup.default_window_start,
				   .default_size = default_window_size,
				   .page_sizes = limits.page_sizes,
				   .max_windows = limits.max_windows,
				   .max_levels = limits.max_levels });
}

CheckedMachine::~CheckedMachine()
{
	for (unsigned int container = 0; container < containers; ++container)
		close(container);
	tce_type1 = false;
	tce_dma_entry_limit = default_mapping_limit;
	tce_module_exit();
	m_kernel.check_balance();
	check_dirty();
}

Platform CheckedMachine::platform_of(unsigned int container) const
{
	const std::vector<unsigned int> &attached = m_state.containers[container].groups;

	return attached.empty() ? m_platform : m_state.groups[attached.front()].platform;
}

bool CheckedMachine::is_partition() const
{
	return m_platform == Platform::DynamicWindows || m_platform == Platform::BorrowedWindow;
}

/* --- calls --------------------------------------------------------------------------------- */

template <typename... Arguments>
void CheckedMachine::record(const char *format, Arguments... arguments)
{
	m_records.push_back({ format, { static_cast<unsigned long>(arguments)... } });
}

void CheckedMachine::perform(const std::function<long()> &real, const Call &modelled,
			     const Outcomes &outcomes)
{
	std::vector<State> states;
	unsigned long fail_nth = std::exchange(m_fail_next, 0);

	if (fail_nth || m_hypercall)
		states.push_back(m_state);
	if (fail_nth)
		m_kernel.failures.fail_any(fail_nth);

	long found = real();

	m_has_just_failed = fail_nth && m_kernel.failures.failed();
	m_has_failed |= m_has_just_failed;

	m_records.back().result = found;
	m_kernel.failures.forget();
	if (m_has_just_failed && is_partition())
		remove_left_windows();
	if (m_has_just_failed)
		m_records.push_back(
			{ "  in which call %lu of what can fail failed", { fail_nth } });

	long wanted = modelled(m_state);
	std::string difference = found == wanted
					 ? compare(m_state)
					 : "the model's answer is " + std::to_string(wanted);

	if (difference.empty())
		return;
	/* A hypercall on its way can hold a region. */
	if ((m_has_just_failed && (found <= 0 || found == wanted)) ||
	    (m_hypercall && found == -EBUSY)) {
		outcomes(states, found);
		if (find_outcome(states))
			return;
	}
	disagree(difference);
}

/* What the firmware did not remove of a partition's windows it removes the next time. */
void CheckedMachine::remove_left_windows()
{
	for (iommu_group *group : m_groups) {
		for (unsigned int place = 0; place < model::max_windows; ++place) {
			iommu_table *table = group->data->tables[place];

			if (table && !table->ops)
				glue_table_group_unset_window(group->data, place);
		}
	}
}

bool CheckedMachine::find_outcome(std::vector<State> &states)
{
	auto found = std::ranges::find_if(
		states, [this](const State &state) { return compare(state).empty(); });

	if (found == states.end())
		return false;
	m_state = std::move(*found);
	return true;
}

/* After a call that has failed: nothing has changed but what comes before what it was made for. */
void CheckedMachine::add_failed(std::vector<State> &states, unsigned int container,
				unsigned int process) const
{
	State claimed = states.front();

	if (!claimed.containers[container].is_open)
		return;
	claimed.claim(container, process);
	states.push_back(claimed);
	if (claimed.containers[container].groups.empty())
		return;
	claimed.make_default_window(container);
	states.push_back(std::move(claimed));
}

/* After a mapping that has failed: entries of the range can be empty now, but are no others. */
void CheckedMachine::add_emptied(std::vector<State> &states, unsigned int container,
				 unsigned long iova, unsigned long size) const
{
	State emptied = states.back();
	const model::Container &changed = emptied.containers[container];

	for (unsigned int place = 0; place < model::max_windows; ++place) {
		const std::optional<model::Window> &window = changed.windows[place];

		if (!window || !window->contains(iova))
			continue;

		iommu_table *table = m_groups[changed.groups.front()]->data->tables[place];

		/* The default window may not have come to be. */
		if (!table)
			continue;

		Tces now = table->entries();

		/* Of a copy, which does not change. */
		for (const auto &[number, entry] : std::map(window->entries)) {
			if ((number << window->page_shift) - iova < size && !now.contains(number))
				emptied.unmap(container, place, number);
		}
	}
	states.push_back(std::move(emptied));
}

void CheckedMachine::open(unsigned int container, unsigned int version)
{
	if (m_state.containers[container].is_open)
		return;
	record("open(container %lu, v%lu)", container, version);
	make_container(container, version == 1 ? VFIO_SPAPR_TCE_IOMMU : VFIO_SPAPR_TCE_v2_IOMMU,
		       [&](State &state) { return state.open(container, version); });
}

void CheckedMachine::open_type1(unsigned int container, unsigned int version)
{
	if (m_state.containers[container].is_open)
		return;
	record("open_type1(container %lu, v%lu)", container, version);
	make_container(container, version == 1 ? VFIO_TYPE1_IOMMU : VFIO_TYPE1v2_IOMMU,
		       [&](State &state) { return state.open_type1(container, version); });
}

void CheckedMachine::make_container(unsigned int container, unsigned long type,
				    const Call &modelled)
{
	perform([&] { return m_clients[container].open(type); }, modelled,
		[](std::vector<State> &, long) {});
}

void CheckedMachine::switch_type1(bool is_on)
{
	record("switch_type1(%lu)", is_on);
	tce_type1 = is_on;
	m_state.type1_is_on = is_on;
}

void CheckedMachine::close(unsigned int container)
{
	finish_hypercall();
	record("close(container %lu)", container);
	perform(
		[&] {
			m_clients[container].close();
			return 0;
		},
		[&](State &state) {
			state.close(container);
			return 0;
		},
		[](std::vector<State> &, long) {});
}

/* A group is in one container at most. */
void CheckedMachine::attach(unsigned int container, unsigned int group)
{
	if (!m_state.containers[container].is_open)
		return;
	for (unsigned int other = 0; other < containers; ++other) {
		if (other != container &&
		    std::ranges::count(m_state.containers[other].groups, group))
			return;
	}
	record("attach(container %lu, group %lu)", container, group);

	bool is_new = !std::ranges::count(m_state.containers[container].groups, group);

	if (is_new)
		m_state.groups[group].platform = m_platform;
	perform([&] { return m_clients[container].attach(*m_groups[group]); },
		[&](State &state) {
			/* A PE that does not forget its TCEs gets tables of the kernel's. */
			if (is_new && m_has_just_failed && m_platform == Platform::OwnTables &&
			    m_kernel.failures.failed() == fake::Point::KillPe)
				state.groups[group].platform = Platform::KernelTables;
			return state.attach(container, group);
		},
		[](std::vector<State> &, long) {});
}

void CheckedMachine::detach(unsigned int container, unsigned int group)
{
	if (!std::ranges::count(m_state.containers[container].groups, group))
		return;
	record("detach(container %lu, group %lu)", container, group);
	perform(
		[&] {
			m_clients[container].detach(*m_groups[group]);
			return 0;
		},
		[&](State &state) {
			std::optional<model::Type1> &type1 = state.containers[container].type1;
			std::vector<model::Range> space;

			if (type1)
				space = type1->space;
			state.detach(container, group);
			/* Without memory for it type 1 is told of no more than before. */
			if (type1 && m_has_just_failed &&
			    m_kernel.failures.failed() == fake::Point::AllocArray)
				type1->space = space;
			return 0;
		},
		[](std::vector<State> &, long) {});
}

void CheckedMachine::ioctl(unsigned int container, unsigned int process, unsigned int command,
			   const void *argument, unsigned long size, model::Access access)
{
	alignas(8) unsigned char answer[argument_size] = {};
	unsigned char *real = access == model::Access::ReadOnly ? m_read_only : m_argument;
	unsigned long words[argument_size / sizeof(unsigned long)] = {};

	std::memcpy(answer, argument, size);
	std::memcpy(real, answer, argument_size);
	std::memcpy(words, answer, argument_size);
	record("ioctl(container %lu, process %lu, 0x%lx, { 0x%lx, 0x%lx, 0x%lx ...", container,
	       process, command, words[0], words[1], words[2]);
	m_records.push_back(
		{ "  ... 0x%lx, 0x%lx, 0x%lx }, access %lu)",
		  { words[3], words[4], words[5], static_cast<unsigned long>(access) } });
	fake::Kernel::set_current(&m_processes[process]);

	const Call modelled = [&](State &state) {
		std::memcpy(answer, words, argument_size);
		return state.ioctl(container, process, command, answer, access);
	};

	perform(
		[&] {
			return m_clients[container].ioctl(
				command, access == model::Access::None ? nullptr : real);
		},
		modelled,
		[&](std::vector<State> &states, long found) {
			add_failed(states, container, process);
			if (m_state.containers[container].type1)
				return add_of_type1(states, container, command, modelled, found);
			if (command == VFIO_IOMMU_MAP_DMA)
				add_emptied(states, container, words[2], words[3]);
			if (command == VFIO_EEH_PE_OP)
				add_eeh_state(states);
		});
	if (!m_has_just_failed && std::memcmp(real, answer, argument_size))
		disagree("the answer in the argument is another one");
}

/*
 * What was unmapped is gone, also when the user cannot be told of it. In a partition a dynamic
 * window that cannot be made is done without, and the call goes on.
 */
void CheckedMachine::add_of_type1(std::vector<State> &states, unsigned int container,
				  unsigned int command, const Call &again, long answer)
{
	State unmapped = states.front();
	State without = states.front();

	if (command == VFIO_IOMMU_UNMAP_DMA && answer == -EFAULT) {
		again(unmapped);
		states.push_back(std::move(unmapped));
	}
	without.go_without_dynamic_window(container);
	states.push_back(without);
	if (again(without) == answer)
		states.push_back(std::move(without));
}

void CheckedMachine::check_extension(unsigned int container, unsigned long extension)
{
	record("check_extension(container %lu, %lu)", container, extension);
	perform(
		[&] {
			return tce_container_ioctl(m_clients[container].handle(),
						   VFIO_CHECK_EXTENSION, extension);
		},
		[&](State &state) { return state.check_extension(container, extension); },
		[](std::vector<State> &, long) {});
}

/* An operation that fails has been done to the groups before. */
void CheckedMachine::add_eeh_state(std::vector<State> &states) const
{
	State changed = states.front();

	for (unsigned int group = 0; group < groups; ++group) {
		changed.groups[group].mmio_is_frozen = m_groups[group]->pe.mmio_frozen;
		changed.groups[group].dma_is_frozen = m_groups[group]->pe.dma_frozen;
		changed.groups[group].is_in_reset = m_groups[group]->pe.in_reset;
	}
	states.push_back(std::move(changed));
}

/* --- KVM ----------------------------------------------------------------------------------- */

void CheckedMachine::kvm_put(unsigned int container, unsigned int window, unsigned int process,
			     unsigned long number, unsigned long user)
{
	const model::Container &target = m_state.containers[container];

	if (target.groups.empty() || !target.windows[window])
		return;

	iommu_group &group = *m_groups[target.groups.front()];
	bool is_kernels = m_state.groups[target.groups.front()].platform == Platform::KernelTables;

	/* What KVM could do to these is what it could always do. */
	if (is_kernels && (target.version != 2 || target.owner != process))
		return;
	if (is_kernels)
		m_fail_next = 0;
	number = target.windows[window]->number_of(number);
	record("kvm_put(container %lu, window %lu, process %lu, entry 0x%lx, user 0x%lx)",
	       container, window, process, number, user);
	perform(
		[&] {
			return fake::kvm_put_tce(*group.data->tables[window], m_processes[process],
						 number, user);
		},
		[&](State &state) {
			return state.kvm_put(container, window, process, number, user);
		},
		[&](std::vector<State> &states, long) {
			State emptied = states.front();

			emptied.unmap(container, window, number);
			states.push_back(std::move(emptied));
		});
}

void CheckedMachine::start_hypercall(unsigned int container, unsigned int window,
				     unsigned long number, unsigned long user)
{
	const model::Container &target = m_state.containers[container];

	if (m_hypercall || target.groups.empty() || !target.windows[window] || !target.owner ||
	    m_state.groups[target.groups.front()].platform == Platform::KernelTables)
		return;

	iommu_table &table = *m_groups[target.groups.front()]->data->tables[window];
	unsigned int process = *target.owner;

	number = target.windows[window]->number_of(number);
	record("start_hypercall(container %lu, window %lu, entry 0x%lx, user 0x%lx)", container,
	       window, number, user);
	/* As KVM has. */
	iommu_tce_table_get(&table);
	m_hypercall.emplace(table, m_processes[process], number, user);
	m_hypercall->effect = [=, start = target.windows[window]->start](State &state) {
		const std::optional<model::Window> &now =
			state.containers[container].windows[window];

		if (now && now->start == start)
			state.kvm_put(container, window, process, number, user);
	};
	/* The end of a window waits for it. */
	m_kernel.at_next(fake::Hook::Sleeping, [this] {
		while (m_hypercall && !m_hypercall->is_over)
			m_hypercall->is_over = !m_hypercall->call.step();
	});
}

/* What it does to the entry comes to pass in one of its steps. */
void CheckedMachine::step_hypercall()
{
	if (!m_hypercall)
		return;
	record("step_hypercall()");
	if (!m_hypercall->is_over)
		m_hypercall->is_over = !m_hypercall->call.step();

	std::string difference = compare(m_state);

	if (!difference.empty()) {
		std::exchange(m_hypercall->effect, [](State &) {})(m_state);
		difference = compare(m_state);
	}
	if (m_hypercall->is_over) {
		iommu_tce_table_put(m_hypercall->table);
		m_hypercall.reset();
		if (difference.empty())
			difference = compare(m_state);
	}
	if (!difference.empty())
		disagree(difference);
}

void CheckedMachine::finish_hypercall()
{
	while (m_hypercall)
		step_hypercall();
}

/* --- what there is ------------------------------------------------------------------------- */

std::string CheckedMachine::compare(const State &state)
{
	unsigned long pins = static_cast<unsigned long>(m_kernel.all_pins());
	bool is_attached[groups] = {};
	std::string difference;

	for (unsigned int process = 0; process < processes && difference.empty(); ++process)
		difference = compare_process(state, process);
	if (difference.empty() && pins != state.pins())
		return print("pins", pins, state.pins());
	for (unsigned int container = 0; container < containers; ++container) {
		for (unsigned int group : state.containers[container].groups) {
			is_attached[group] = true;
			if (difference.empty())
				difference = compare_group(state.containers[container], group);
		}
	}
	for (unsigned int group = 0; group < groups && difference.empty(); ++group) {
		if (!is_attached[group])
			difference = compare_unattached(group);
		if (m_groups[group]->pe.mmio_frozen != state.groups[group].mmio_is_frozen ||
		    m_groups[group]->pe.dma_frozen != state.groups[group].dma_is_frozen ||
		    m_groups[group]->pe.in_reset != state.groups[group].is_in_reset)
			return "the state of a PE";
	}
	return difference;
}

/* Whatever is charged to a process keeps its address space, and so does a container of it. */
long CheckedMachine::references(const State &state, unsigned int process)
{
	long count = 0;

	for (const model::Container &container : state.containers) {
		if (container.type1) {
			count += std::ranges::count(
				container.type1->mappings, process,
				[](const auto &mapping) { return mapping.second.process; });
		}
		if (container.owner != process)
			continue;
		count += 1 + !!container.windows[0] + !!container.windows[1];
		count += static_cast<long>(container.registered.size());
		/* Where kernel pages are counted, these too. */
		if (container.window_charge)
			count += KERNEL_PAGE_SHIFT > 12 ? 2 : 1;
	}
	for (const auto &[start, region] : state.processes[process].regions)
		count += region.is_orphan;
	return count;
}

std::string CheckedMachine::compare_process(const State &state, unsigned int number) const
{
	/* Of a hypercall on its way: what it has counted, and what it has taken out. */
	const unsigned long on_the_way = m_hypercall ? 2 : 0;
	const mm_struct &process = m_processes[number];
	const model::Process &wanted = state.processes[number];

	if (process.locked_vm != wanted.locked)
		return print("locked pages", process.locked_vm, wanted.locked);
	if (process.grabs != references(state, number))
		return "the references on an address space";
	if (process.regions.size() != wanted.regions.size())
		return print("regions", process.regions.size(), wanted.regions.size());
	for (const mm_iommu_table_group_mem_t &region : process.regions) {
		auto found = wanted.regions.find(region.start);

		if (found == wanted.regions.end() || found->second.size != region.size())
			return "a region has other bounds";
		if (found->second.users != region.used)
			return print("users of a region", region.used, found->second.users);

		unsigned long counted = static_cast<unsigned long>(region.mapped - 1);
		unsigned long mapped = state.mapped(number, region.start);

		if (counted - mapped > on_the_way)
			return print("count of a region", counted, mapped);
	}
	return {};
}

std::string CheckedMachine::compare_group(const model::Container &container, unsigned int number)
{
	const iommu_table_group &group = *m_groups[number]->data;

	for (unsigned int place = 0; place < model::max_windows; ++place) {
		const std::optional<model::Window> &window = container.windows[place];
		iommu_table *table = group.tables[place];

		if (!window != !table)
			return print("windows in a slot", !!table, !!window);
		if (!window)
			continue;
		if (table->shape.page_shift != window->page_shift ||
		    table->shape.offset != window->first() ||
		    table->shape.size != window->size >> window->page_shift)
			return "a window has another shape";

		/* Of an entry that KVM is about to change the PHB is told in the end. */
		unsigned long changing =
			m_hypercall && m_hypercall->table == table ? m_hypercall->number : none;
		/* All groups have the same tables. */
		std::string difference = number == container.groups.front()
						 ? compare_table(container, *window, *table)
						 : "";

		if (!difference.empty())
			return difference;
		if (!is_partition() && !is_same_but(group.cached[place], window->entries, changing))
			return "what a device can reach differs";
	}
	return {};
}

std::string CheckedMachine::compare_table(const model::Container &container,
					  const model::Window &window, iommu_table &table)
{
	if (!is_same_but(table.entries(), window.entries, none))
		return "what is in a table differs";
	/* KVM writes the address later than the entry. */
	if (container.version != 2 || m_hypercall)
		return {};
	for (const auto &[number, entry] : window.entries) {
		if (table.user_address(number) != entry.user)
			return print("address of an entry", table.user_address(number), entry.user);
	}
	return {};
}

std::string CheckedMachine::compare_unattached(unsigned int number)
{
	const iommu_table_group &group = *m_groups[number]->data;

	for (unsigned int place = 0; place < model::max_windows; ++place) {
		if (group.tables[place])
			return "a group that is in no container has a window";
	}
	if (group.firmware_window &&
	    !m_kernel.hypervisor.tces[group.firmware_window->liobn].empty())
		return "a window that was given back is not empty";
	return {};
}

/* A page that a device may have written to is marked. */
void CheckedMachine::check_dirty()
{
	for (unsigned long page : m_state.dirty) {
		if (!m_kernel.is_dirty(page << KERNEL_PAGE_SHIFT))
			disagree("a page that a device may have written to is not marked");
	}
}

void CheckedMachine::disagree(const std::string &what) const
{
	for (const Record &record : m_records) {
		const unsigned long *arguments = record.arguments;

		std::fprintf(stderr, record.format, arguments[0], arguments[1], arguments[2],
			     arguments[3], arguments[4], arguments[5]);
		if (record.result)
			std::fprintf(stderr, " = %ld", *record.result);
		std::fputc('\n', stderr);
	}
	std::fprintf(stderr, "%s\n", what.c_str());
	std::abort();
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CheckedMachine: a fake kernel with processes, groups and containers, and the model of it. Each
 * call is made to both. Its answer, all that the devices can reach, all charges, pins and
 * registrations have to be the same then; if they are not, the calls so far are printed and the
 * program aborts.
 */
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client.h"
#include "fake/kernel.h"
#include "fake/kvm.h"
#include "selftests/model/model.h"

class CheckedMachine {
public:
	static constexpr unsigned int processes = 2;
	static constexpr unsigned int groups = 3;
	static constexpr unsigned int containers = 3;

	/* What each process has mapped. */
	static constexpr unsigned long small_memory = 4 * GiB;
	static constexpr unsigned long small_size = 512 * KiB;
	/* After it. */
	static constexpr unsigned long read_only_size = 64 * KiB;
	/* Two hugetlb pages, then small ones. */
	static constexpr unsigned long huge_memory = 8 * GiB;
	static constexpr unsigned long huge_size = 4 * MiB;
	static constexpr unsigned long default_window_size = MiB;
	/* Where the PHB of the last group has MMIO. */
	static constexpr unsigned long mmio_start = 1UL << 40;
	static constexpr unsigned long mmio_size = 1UL << 40;
	/* Of a container of type 1. */
	static constexpr unsigned int mapping_limit = 5;

	struct Setup {
		model::Platform platform;
		/* Of a partition. */
		bool has_multi_tce;
		/* Of each process, in pages. */
		unsigned long locked_limit;
		unsigned long default_window_start;
	};

	explicit CheckedMachine(const Setup &setup);
	CheckedMachine(const CheckedMachine &) = delete;
	/* How a container gets its tables. */
	model::Platform platform_of(unsigned int container) const;

	/* Closes all containers. */
	~CheckedMachine();

	/* In the next call the @nth call of what can fail is going to fail; 0: none. */
	void fail_next(unsigned long nth) { m_fail_next = nth; }

	/* As the VFIO core would: what it never does is left out. */
	void open(unsigned int container, unsigned int version);
	/* @version: of type 1. */
	void open_type1(unsigned int container, unsigned int version);
	void switch_type1(bool is_on);
	void close(unsigned int container);
	void attach(unsigned int container, unsigned int group);
	void detach(unsigned int container, unsigned int group);

	/* @argument: of up to argument_size bytes. */
	static constexpr unsigned long argument_size = 192;
	void ioctl(unsigned int container, unsigned int process, unsigned int command,
		   const void *argument, unsigned long size, model::Access access);
	void check_extension(unsigned int container, unsigned long extension);

	/* KVM maps the entry at place @number of a window, or without @user unmaps it. */
	void kvm_put(unsigned int container, unsigned int window, unsigned int process,
		     unsigned long number, unsigned long user);
	/* It begins to; further steps are made one by one, with other calls in between. */
	void start_hypercall(unsigned int container, unsigned int window, unsigned long number,
			     unsigned long user);
	void step_hypercall();

private:
	struct Record {
		const char *format;
		unsigned long arguments[6];
		std::optional<long> result = {};
	};
	struct Hypercall {
		Hypercall(iommu_table &table, mm_struct &mm, unsigned long at, unsigned long user)
			: call(table, mm, at, user), table(&table), number(at)
		{
		}

		fake::KvmCall call;
		iommu_table *table;
		unsigned long number;
		/* What the model makes of it, until that has come to pass. */
		std::function<void(model::State &)> effect;
		bool is_over = false;
	};
	using Call = std::function<long(model::State &)>;
	/* By what the call has answered. */
	using Outcomes = std::function<void(std::vector<model::State> &, long)>;

	void add_process(unsigned long locked_limit);
	void add_group(const Setup &setup);
	void make_container(unsigned int container, unsigned long type, const Call &modelled);
	template <typename... Arguments> void record(const char *format, Arguments... arguments);
	/*
	 * Does @real, and @modelled to the model. @outcomes adds states that @real can have led to
	 * in which something has failed.
	 */
	void perform(const std::function<long()> &real, const Call &modelled,
		     const Outcomes &outcomes);
	void remove_left_windows();
	bool find_outcome(std::vector<model::State> &states);
	void add_failed(std::vector<model::State> &states, unsigned int container,
			unsigned int process) const;
	void add_emptied(std::vector<model::State> &states, unsigned int container,
			 unsigned long iova, unsigned long size) const;
	static void add_of_type1(std::vector<model::State> &states, unsigned int container,
				 unsigned int command, const Call &again, long answer);
	void add_eeh_state(std::vector<model::State> &states) const;
	void finish_hypercall();

	/* What differs, or nothing. */
	std::string compare(const model::State &state);
	static long references(const model::State &state, unsigned int process);
	std::string compare_process(const model::State &state, unsigned int number) const;
	std::string compare_group(const model::Container &container, unsigned int number);
	std::string compare_table(const model::Container &container, const model::Window &window,
				  iommu_table &table);
	std::string compare_unattached(unsigned int number);
	void check_dirty();
	[[noreturn]] void disagree(const std::string &what) const;

	bool is_partition() const;

	std::vector<Record> m_records;
	const model::Platform m_platform;
	fake::Kernel m_kernel{ [this](const std::string &what) { disagree(what); } };
	mm_struct m_processes[processes];
	iommu_group *m_groups[groups];
	Client m_clients[containers];
	model::State m_state;
	unsigned long m_fail_next = 0;
	bool m_has_just_failed = false;
	bool m_has_failed = false;
	std::optional<Hypercall> m_hypercall;
	alignas(8) unsigned char m_argument[argument_size];
	alignas(8) unsigned char m_read_only[argument_size];
};

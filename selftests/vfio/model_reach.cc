// SPDX-License-Identifier: GPL-2.0-only
/* What the devices reach, and whether it is what the model says. */
#include "model_machine.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>

using model::Entry;

namespace played {

namespace {

/* So many calls that change entries, or do not, come for one that is followed by transfers. */
constexpr unsigned long changes_for_transfer = 2;
constexpr unsigned long others_for_transfer = 16;
/* Of each 4K, and of each transfer. */
constexpr unsigned int words_of_pattern = 8;
constexpr unsigned long pattern_size = words_of_pattern * sizeof(unsigned long);

/* Beyond these, but for the second window, there are addresses that are no memory at all. */
constexpr unsigned long end_of_places = 1UL << 48;

std::string hex(unsigned long number)
{
	char text[32];

	std::snprintf(text, sizeof(text), "0x%lx", number);
	return text;
}

} /* namespace */

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

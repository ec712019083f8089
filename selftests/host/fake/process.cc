// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces, RAM and registered regions. */
#include "fake/process.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "fake/kernel.h"
#include "kernel/census.h"
#include "kernel/range_map.h"
#include "kernel/memory.h"

using fake::kernel;
using fake::page_size;
using fake::Point;

namespace fake {

unsigned long Kernel::add_ram(unsigned long size, Backing backing, unsigned int page_shift)
{
	unsigned long align = 1UL << page_shift;
	unsigned long hpa = (m_next_ram + align - 1) & ~(align - 1);

	m_next_ram = hpa + size;
	m_ram.push_back({ hpa, size, backing, page_shift });
	return hpa;
}

void Kernel::pin(unsigned long hpa)
{
	std::lock_guard guard(m_mutex);

	++m_pins[hpa / page_size];
}

void Kernel::unpin(unsigned long hpa)
{
	std::lock_guard guard(m_mutex);

	if (--m_pins[hpa / page_size] < 0)
		complain("a page is unpinned more often than it was pinned");
	if (!m_pins[hpa / page_size])
		m_pins.erase(hpa / page_size);
}

long Kernel::pins(unsigned long hpa)
{
	std::lock_guard guard(m_mutex);
	auto found = m_pins.find(hpa / page_size);

	return found == m_pins.end() ? 0 : found->second;
}

long Kernel::all_pins()
{
	std::lock_guard guard(m_mutex);
	long count = 0;

	for (const auto &page : m_pins)
		count += page.second;
	return count;
}

void Kernel::check_reachable_is_pinned()
{
	if (!checks_reach)
		return;

	auto check = [this](const Tces &tces) {
		auto is_gone = [this](const auto &entry) { return !is_pinned(entry.second.hpa); };

		if (std::any_of(tces.begin(), tces.end(), is_gone))
			complain("a device can reach memory that is not pinned any more");
	};

	for (const iommu_table_group &group : groups) {
		for (unsigned long num = 0; num < KERNEL_MAX_TABLES; ++num) {
			check(group.cached[num]);
			if (group.tables[num])
				check(group.tables[num]->entries());
		}
	}
}

bool Kernel::is_pinned(unsigned long hpa)
{
	return m_pins.contains(hpa / page_size);
}

bool Kernel::is_hugetlb(unsigned long hpa, unsigned int shift)
{
	for (const Ram &ram : m_ram) {
		if (hpa - ram.hpa < ram.size)
			return ram.backing == Backing::HugeTlb && ram.page_shift >= shift;
	}
	complain("a page is asked about that does not exist");
	return false;
}

void Kernel::mark_dirty(unsigned long hpa)
{
	std::lock_guard guard(m_mutex);

	if (!is_pinned(hpa))
		complain("a page was marked dirty that was no longer pinned");
	m_dirty[hpa / page_size] = true;
}

bool Kernel::is_dirty(unsigned long hpa)
{
	return m_dirty.contains(hpa / page_size);
}

} /* namespace fake */

mm_struct::mm_struct()
{
	kernel().processes.push_back(this);
}

mm_struct::~mm_struct()
{
	std::erase(kernel().processes, this);
}

void mm_struct::mmap(unsigned long start, unsigned long size, fake::Backing backing,
		     unsigned int page_shift)
{
	memory.push_back({ start, size, kernel().add_ram(size, backing, page_shift) });
}

static const fake::UserMemory *find_memory(const mm_struct &mm, unsigned long address)
{
	for (const fake::UserMemory &area : mm.memory) {
		if (address - area.start < area.size)
			return &area;
	}
	return nullptr;
}

static std::optional<unsigned long> find_physical(const mm_struct &mm, unsigned long address)
{
	const fake::UserMemory *area = find_memory(mm, address);

	if (!area)
		return std::nullopt;
	return area->hpa + (address - area->start);
}

unsigned long mm_struct::physical(unsigned long address) const
{
	return find_physical(*this, address).value();
}

int mm_struct::charge(unsigned long pages)
{
	std::lock_guard guard(mutex);

	if (pages > locked_limit || locked_vm > locked_limit - pages)
		return -ENOMEM;
	locked_vm += pages;
	return 0;
}

void mm_struct::uncharge(unsigned long pages)
{
	std::lock_guard guard(mutex);

	if (pages > locked_vm)
		kernel().complain("more locked memory is given back than was charged");
	locked_vm -= pages;
}

long mm_struct::mapped() const
{
	std::lock_guard guard(mutex);
	long count = 0;

	for (const mm_iommu_table_group_mem_t &region : regions)
		count += region.mapped - 1;
	return count;
}

mm_struct *glue_current_mm()
{
	return fake::Kernel::current();
}

void glue_mm_grab(mm_struct *mm)
{
	++mm->grabs;
}

void glue_mm_drop(mm_struct *mm)
{
	if (--mm->grabs < 0)
		kernel().complain("an address space was dropped too often");
}

unsigned long glue_total_ram_pages()
{
	return kernel().ram_pages;
}

int account_locked_vm(mm_struct *mm, unsigned long pages, bool inc)
{
	kernel().might_sleep("the accounting of locked memory");
	if (!inc) {
		mm->uncharge(pages);
		return 0;
	}
	if (kernel().failures.hit(Point::ChargeLocked))
		return -ENOMEM;
	return mm->charge(pages);
}

/* The largest pages that the kernel takes the region to consist of. */
static unsigned int region_page_shift(const mm_iommu_table_group_mem_t &region)
{
	unsigned long alignment = region.start | region.size();
	unsigned int result = static_cast<unsigned int>(__builtin_ctzl(alignment));
	unsigned int page_shift = KERNEL_PAGE_SHIFT;

	/* As in the kernel, small pages that follow a huge one do not count. */
	for (unsigned long hpa : region.pages) {
		for (unsigned int shift = KERNEL_PAGE_SHIFT;
		     result > KERNEL_PAGE_SHIFT && kernel().is_hugetlb(hpa, shift); ++shift)
			page_shift = shift;
		result = std::min(result, page_shift);
	}
	return result;
}

long mm_iommu_new(mm_struct *mm, unsigned long ua, unsigned long entries,
		  mm_iommu_table_group_mem_t **pmem)
{
	kernel().might_sleep("the registration of memory");
	if (mm != fake::Kernel::current())
		kernel().complain("memory of another process is registered");
	if (!entries)
		kernel().complain("WARN: a region of no pages is registered");
	kernel().run(fake::Hook::BeforePinRegion);
	if (kernel().failures.hit(Point::PinRegion) || mm->charge(entries))
		return -ENOMEM;

	std::lock_guard guard(mm->mutex);
	mm_iommu_table_group_mem_t &region = mm->regions.emplace_back();
	long error = 0;

	region.start = ua;
	for (unsigned long i = 0; i < entries && !error; ++i) {
		const fake::UserMemory *area = find_memory(*mm, ua + i * page_size);

		/* Registered memory is for devices to write. */
		if (area && area->writable)
			region.pages.push_back(area->hpa + (ua + i * page_size - area->start));
		else
			error = -EFAULT;
	}
	/* As in the kernel: a number of pages is no success if it is not all of them. */
	if (error && !region.pages.empty())
		error = static_cast<long>(region.pages.size());
	for (const mm_iommu_table_group_mem_t &other : mm->regions) {
		if (!error && &other != &region && other.start < region.end() &&
		    region.start < other.end())
			error = -EINVAL;
	}
	if (error) {
		mm->regions.pop_back();
		mm->uncharge(entries);
		return error;
	}
	region.page_shift = region_page_shift(region);
	for (unsigned long hpa : region.pages)
		kernel().pin(hpa);
	*pmem = &region;
	return 0;
}

mm_iommu_table_group_mem_t *mm_iommu_get(mm_struct *mm, unsigned long ua, unsigned long entries)
{
	std::lock_guard guard(mm->mutex);

	kernel().might_sleep("the search for a region");
	for (mm_iommu_table_group_mem_t &region : mm->regions) {
		if (region.start == ua && region.pages.size() == entries) {
			++region.used;
			return &region;
		}
	}
	return nullptr;
}

static long put_region(mm_struct *mm, mm_iommu_table_group_mem_t *mem)
{
	std::lock_guard guard(mm->mutex);
	long last = 1;

	if (!mem->used) {
		kernel().complain("a region is put that nobody uses");
		return -ENOENT;
	}
	if (--mem->used)
		return 0;
	if (!mem->mapped.compare_exchange_strong(last, 0)) {
		++mem->used;
		return -EBUSY;
	}
	for (unsigned long hpa : mem->pages)
		kernel().unpin(hpa);
	kernel().check_reachable_is_pinned();
	mm->uncharge(mem->pages.size());
	std::erase_if(mm->regions, [mem](auto &region) { return &region == mem; });
	return 0;
}

long mm_iommu_put(mm_struct *mm, mm_iommu_table_group_mem_t *mem)
{
	kernel().might_sleep("the release of a region");
	/* It can wait for a lock that the process holds as long as it likes. */
	if (fake::held_mutexes(GLUE_MUTEX_ORPHANS))
		kernel().complain("a region is put with a lock that all processes share");

	long error = put_region(mm, mem);

	if (error)
		kernel().run(fake::Hook::AfterRefusedPut);
	return error;
}

mm_iommu_table_group_mem_t *mm_iommu_lookup(mm_struct *mm, unsigned long ua, unsigned long size)
{
	std::lock_guard guard(mm->mutex);

	for (mm_iommu_table_group_mem_t &region : mm->regions) {
		if (region.start <= ua && ua + size <= region.end())
			return &region;
	}
	return nullptr;
}

long mm_iommu_ua_to_hpa(mm_iommu_table_group_mem_t *mem, unsigned long ua, unsigned int pageshift,
			unsigned long *hpa)
{
	unsigned long page = (ua - mem->start) / page_size;

	if (page >= mem->pages.size() || pageshift > mem->page_shift)
		return -EFAULT;
	*hpa = mem->pages[page] | (ua & (page_size - 1));
	return 0;
}

long mm_iommu_mapped_inc(mm_iommu_table_group_mem_t *mem)
{
	long count = mem->mapped;

	if (kernel().failures.hit(Point::CountMapping))
		return -ENXIO;
	while (count) {
		if (mem->mapped.compare_exchange_weak(count, count + 1))
			return 0;
	}
	return -ENXIO;
}

void mm_iommu_mapped_dec(mm_iommu_table_group_mem_t *mem)
{
	/* The kernel ignores this, but the region of another entry has one too many then. */
	if (mem->mapped.fetch_sub(1) <= 1) {
		++mem->mapped;
		kernel().complain("a region is unmapped more often than it was mapped");
	}
	kernel().run(fake::Hook::AfterUnmapping);
}

long glue_pin_pages(unsigned long user, unsigned long count, bool write, unsigned long *hpas)
{
	mm_struct &mm = *fake::Kernel::current();
	unsigned long pinned = 0;

	kernel().might_sleep("the pinning of pages");
	++kernel().pin_calls;
	if (!count || user % page_size)
		kernel().complain("pages are pinned that are none");
	if (kernel().failures.hit(Point::PinPages))
		return -EFAULT;
	for (; pinned < count; ++pinned, user += page_size) {
		const fake::UserMemory *area = find_memory(mm, user);

		if (!area || (write && !area->writable))
			break;
		hpas[pinned] = area->hpa + (user - area->start);
		kernel().pin(hpas[pinned]);
	}
	for (unsigned long i = pinned; i < count; ++i)
		hpas[i] = 0;
	/* As in the kernel: some pages are a success. */
	return pinned ? static_cast<long>(pinned) : -EFAULT;
}

namespace {

void unpin_page(unsigned long hpa, bool dirty)
{
	if (dirty)
		kernel().mark_dirty(hpa);
	kernel().unpin(hpa);
}

} /* namespace */

void glue_unpin_pages(const unsigned long *hpas, unsigned long count, bool dirty)
{
	kernel().might_sleep("the unpinning of pages");
	++kernel().unpin_calls;
	if (count > GLUE_MOST_UNPINNED)
		kernel().complain("more pages are unpinned than there is room for");
	for (unsigned long i = 0; i < count; ++i)
		unpin_page(hpas[i], dirty);
	kernel().check_reachable_is_pinned();
}

void glue_unpin_run(unsigned long hpa, unsigned long count, bool dirty)
{
	kernel().might_sleep("the unpinning of pages");
	++kernel().unpin_calls;
	for (unsigned long i = 0; i < count; ++i)
		unpin_page(hpa + i * page_size, dirty);
	kernel().check_reachable_is_pinned();
}

void glue_mark_pages_dirty(const glue_taken_entry *entries, unsigned long count)
{
	for (const glue_taken_entry *entry = entries; entry != entries + count; ++entry) {
		/* The second bit lets devices write. */
		if (entry->tce & 2)
			kernel().mark_dirty(entry->tce & ~3UL);
	}
}

bool glue_is_hugetlb_page(unsigned long hpa, unsigned int shift)
{
	return kernel().is_hugetlb(hpa, shift);
}

/* The ranges of a map, by their first numbers. */
static std::map<const glue_range_map *, std::map<unsigned long, glue_range *>> range_maps;

void glue_range_map_insert(glue_range_map *map, glue_range *range)
{
	if (glue_range_map_find(map, range->first, range->last))
		kernel().complain("ranges overlap");
	range_maps[map][range->first] = range;
}

void glue_range_map_erase(glue_range_map *map, glue_range *range)
{
	range_maps[map].erase(range->first);
	if (range_maps[map].empty())
		range_maps.erase(map);
}

glue_range *glue_range_map_find(const glue_range_map *map, unsigned long from, unsigned long last)
{
	auto ranges = range_maps.find(map);

	if (ranges == range_maps.end())
		return nullptr;
	for (auto [first, range] : ranges->second) {
		if (range->last >= from)
			return first <= last ? range : nullptr;
	}
	return nullptr;
}

struct glue_census {
	std::map<unsigned long, unsigned long> counts;
};

glue_census *glue_census_create()
{
	void *memory = glue_alloc(sizeof(glue_census));

	return memory ? new (memory) glue_census() : nullptr;
}

void glue_census_destroy(glue_census *census)
{
	census->~glue_census();
	glue_free(census);
}

int glue_census_add(glue_census *census, unsigned long page)
{
	kernel().might_sleep("the count of a page");
	if (kernel().failures.hit(Point::CountPage))
		return -ENOMEM;
	return !census->counts[page]++;
}

bool glue_census_remove(glue_census *census, unsigned long page)
{
	if (!census->counts.contains(page))
		kernel().complain("a page is counted less often than never");
	if (--census->counts[page])
		return false;
	census->counts.erase(page);
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MemoryRegistry: the regions of user memory that a container has registered, and has pinned by
 * that. It holds exactly one reference on each kernel region (mm_iommu_*) and puts exactly those
 * when the container is closed.
 *
 * Regions do not overlap: the kernel refuses that for all containers of a process. A region that
 * a second container of the process registers with the same bounds is shared between the two.
 *
 * No region contains address 0, since a word of 0 in a table's userspace view means "empty".
 *
 * The last reference on a region cannot be put while TCEs point into it. Those can be another
 * container's, which has unregistered the region while this one still held it. Closing a
 * container cannot fail, so the region then becomes an *orphan* of its process: it is put when
 * the next container of that process is closed, at the latest with the last one, which has
 * emptied its tables by then.
 *
 * Locking: the container's lock; the list of orphans has its own, which is taken with no other
 * one held. All processes share that one, so nothing that can wait for a process is done under it:
 * a region is put by whoever has marked it, and is on the list all the while. All functions are for
 * process context and may sleep, but those of a lookup.
 *
 * Source: arch/powerpc/mm/book3s64/iommu_api.c.
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"
#include "drivers/vfio/address_space.h"
#include "kcxx/list.h"
#include "kcxx/owned.h"
#include "kcxx/vector.h"

namespace tce {

/* A range of the user's addresses: whole kernel pages, not empty, without overflow. */
struct UserRange {
	UserAddr start;
	Bytes size;

	/* -EINVAL if @start and @size are not such a range. */
	static Result<UserRange> of_pages(UserAddr start, Bytes size);

	UserAddr end() const { return start + size; }
	bool contains(UserAddr address) const
	{
		return address.value() - start.value() < size.value();
	}
	bool operator==(const UserRange &) const = default;
};

/* One registered region: a reference on the kernel's. */
class Region : public kcxx::ListLinks<Region> {
public:
	/* Pins @range of @mm, the current process. -EINVAL, -ENOMEM, -EFAULT: see add() below. */
	static Result<kcxx::Owned<Region>> create(const AddressSpace &mm, UserRange range);

	Region(AddressSpace mm, UserRange range) : m_mm(kcxx::move(mm)), m_range(range) {}

	const UserRange &range() const { return m_range; }
	mm_iommu_table_group_mem_t *kernel() const { return m_kernel; }
	mm_struct *mm() const { return m_mm.get(); }

	/*
	 * The @size bytes at @from, multiples of @page in this region, are in hugetlb pages of at
	 * least that size. The kernel's own check takes a region for hugetlb that only begins so; a
	 * transparent hugepage is no substitute, since it can be split. May sleep.
	 */
	bool is_in_large_pages(UserAddr from, Bytes size, PageShift page);
	/* The same without a look at the pages: they were found to be so before. Does not sleep. */
	bool is_known_large(UserAddr from, Bytes size, PageShift page) const
	{
		return page <= m_large.page && from >= m_large.start && from + size <= m_large.end;
	}

	/*
	 * Puts the reference, before the object is destroyed. -EBUSY: TCEs point into the region,
	 * and the reference stays. Can wait for as long as the process likes.
	 */
	Result<void> put();

	/* For the container's report only, which counts anew. */
	unsigned long mapped_entries = 0;

	/* Of an orphan; under the lock of their list. */
	struct PutRequest {
		bool wanted = false;
		bool in_progress = false;
	};
	PutRequest put_request;

private:
	Result<void> acquire();
	bool is_large_page(UserAddr address, PageShift page) const;

	/*
	 * The part that was found to be in large pages, which stay what they are while they are
	 * pinned: who maps the same memory again does not pay for the search again.
	 */
	struct {
		UserAddr start;
		UserAddr end;
		PageShift page{ 0 };
	} m_large;

	AddressSpace m_mm;
	UserRange m_range;
	mm_iommu_table_group_mem_t *m_kernel = nullptr;
};

class MemoryRegistry {
public:
	/*
	 * Pins and registers @range of the current process, whose address space @mm is.
	 * -EBUSY: registered by this container before; -EINVAL: overlaps another region, or
	 * address 0; -ENOMEM: locked-memory limit, or no memory; -EFAULT: not all mapped.
	 */
	Result<void> add(const AddressSpace &mm, UserRange range);

	/* -ENOENT: not registered here with these bounds; -EBUSY: TCEs point into it. */
	Result<void> remove(UserRange range);

	/* The region that contains @address, or nullptr. Does not sleep. */
	Region *find(UserAddr address) const
	{
		unsigned long place = count_up_to(address);

		if (!place || !m_regions[place - 1]->range().contains(address))
			return nullptr;
		return m_regions[place - 1].get();
	}

	/* Calls @visit(region) for each, by address. */
	template <typename Visit> void for_each(Visit visit) const
	{
		for (unsigned long i = 0; i < m_regions.size(); ++i)
			visit(*m_regions[i]);
	}

	/*
	 * Gives all regions of @mm back, and orphans of that process where it can be done now.
	 * After the container's tables were emptied, with no lock held.
	 */
	void close(const AddressSpace &mm);

private:
	/* The number of regions that start at or below @address. */
	unsigned long count_up_to(UserAddr address) const
	{
		unsigned long low = 0;
		unsigned long high = m_regions.size();

		while (low < high) {
			unsigned long middle = (low + high) / 2;

			if (m_regions[middle]->range().start <= address)
				low = middle + 1;
			else
				high = middle;
		}
		return low;
	}

	kcxx::Vector<kcxx::Owned<Region>> m_regions; /* by address */
};

/* Makes the list of orphans usable; at module load, before the first container. */
void init_orphan_regions();

/* How many orphans @mm has, or with nullptr all processes. With no lock held. */
unsigned long count_orphans(const mm_struct *mm);

} /* namespace tce */

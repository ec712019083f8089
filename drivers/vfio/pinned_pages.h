/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PinnedPages: user memory that was pinned for one MAP_DMA of a v1 container and is not mapped yet.
 * PinnedStream: the same for type 1, where memory is pinned as it is mapped.
 *
 * Each IOMMU page has a pin of its own, which its entry takes over when it is mapped: a kernel page
 * of several IOMMU pages is pinned as many times. What is not taken over is unpinned in the end.
 *
 * PinnedPages pins all before the first entry is written, so that memory that cannot be pinned is
 * found while nothing has changed: v1 maps in place of what was there. Locking: the container's
 * lock. Process context; may sleep.
 */
#pragma once

#include "drivers/vfio/backing.h"
#include "drivers/vfio/pinned_census.h"
#include "kcxx/owned_array.h"
#include "kernel/mm.h"

namespace tce {

/* Pins to be given back together, when no PE can reach the pages any more. */
class Unpinner {
public:
	/* Of pages that @device_wrote to, or did not. */
	explicit Unpinner(bool device_wrote) : m_device_wrote(device_wrote) {}
	Unpinner(const Unpinner &) = delete;
	Unpinner &operator=(const Unpinner &) = delete;
	~Unpinner() { unpin(); }

	bool device_wrote() const { return m_device_wrote; }
	/* @count kernel pages that follow each other; one may be any part of a kernel page. */
	void add(HostPhys first, unsigned long count)
	{
		if (count > 1) {
			glue_unpin_run(first.value(), count, m_device_wrote);
			return;
		}
		m_pages[m_count++] = first.value();
		if (m_count == GLUE_MOST_UNPINNED)
			unpin();
	}

private:
	void unpin()
	{
		glue_unpin_pages(m_pages, m_count, m_device_wrote);
		m_count = 0;
	}

	unsigned long m_pages[GLUE_MOST_UNPINNED];
	unsigned long m_count = 0;
	const bool m_device_wrote;
};

/* Pages that were pinned for their entries: see memory_run.h. */
class PinnedRun {
public:
	PinnedRun(const unsigned long *pages, Entries left) : m_at(pages), m_left(left) {}

	Entries left() const { return m_left; }
	Result<void> take(unsigned long &page) const
	{
		page = *m_at;
		return {};
	}
	void give_back() const {}
	Backing backing() const { return Backing::pinned(HostPhys(*m_at)); }
	void step() { ++m_at; }

private:
	const unsigned long *m_at;
	Entries m_left;
};

class PinnedPages {
public:
	/*
	 * Pins @count pages of size @page of the current process, from @user on, which is a
	 * multiple of it, and counts them in @census. -EFAULT: not all mapped, or not writable for
	 * a device that writes; -EPERM: @page is larger than the pages that can be pinned; -ENOMEM,
	 * also beyond the limit of locked memory.
	 */
	static Result<PinnedPages> pin(PinnedCensus &census, UserAddr user, Entries count,
				       PageShift page, Direction direction);

	/* No pages, of @census. */
	explicit PinnedPages(PinnedCensus &census) : m_census(&census) {}
	PinnedPages(PinnedPages &&other) noexcept
		: m_census(other.m_census), m_pages(kcxx::move(other.m_pages)),
		  m_counted(kcxx::exchange(other.m_counted, 0)),
		  m_mapped(kcxx::exchange(other.m_mapped, 0))
	{
	}
	PinnedPages &operator=(PinnedPages &&other) noexcept
	{
		PinnedPages old(kcxx::move(other));

		kcxx::swap(m_census, old.m_census);
		kcxx::swap(m_pages, old.m_pages);
		kcxx::swap(m_counted, old.m_counted);
		kcxx::swap(m_mapped, old.m_mapped);
		return *this;
	}
	~PinnedPages();

	/* For Mapper: all are there. */
	Result<void> prepare() const { return {}; }
	Entries left() const { return Entries(m_pages.size() - m_mapped); }
	/* What is not mapped yet; there is something left. */
	PinnedRun run() const { return PinnedRun(&m_pages[m_mapped], left()); }
	/* The pins of the next @count pages belong to their entries from now on. */
	void advance(Entries count) { m_mapped += count.value(); }

private:
	PinnedPages(PinnedCensus &census, kcxx::OwnedArray<unsigned long> pages)
		: m_census(&census), m_pages(kcxx::move(pages))
	{
	}

	Result<void> pin_whole(UserAddr user, bool device_writes);
	Result<void> pin_parts(UserAddr user, PageShift page, bool device_writes);
	Result<void> pin_every(unsigned long stride, unsigned long first, UserAddr user,
			       PageShift page, bool device_writes);

	Result<void> count();

	PinnedCensus *m_census;
	kcxx::OwnedArray<unsigned long> m_pages; /* addresses; 0 where none is pinned */
	unsigned long m_counted = 0;
	unsigned long m_mapped = 0;
};

/*
 * Pages that are pinned when they are next, a number of them at a time: for entries that are empty,
 * so that nothing is lost when memory is found that cannot be pinned.
 */
class PinnedStream {
public:
	/* Of the @count pages at @user: see PinnedPages::pin(). */
	PinnedStream(PinnedCensus &census, UserAddr user, Entries count, PageShift page,
		     Direction direction)
		: m_census(census), m_user(user), m_left(count), m_page(page),
		  m_direction(direction), m_pages(census)
	{
	}

	/* Pins what is next, if it is not. Errors of PinnedPages::pin(). */
	Result<void> prepare();
	/* What is pinned and not mapped yet. */
	PinnedRun run() const { return m_pages.run(); }
	void advance(Entries count) { m_pages.advance(count); }

private:
	PinnedCensus &m_census;
	UserAddr m_user; /* of what is not pinned yet */
	Entries m_left;
	const PageShift m_page;
	const Direction m_direction;
	PinnedPages m_pages;
};

} /* namespace tce */

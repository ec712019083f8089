/* SPDX-License-Identifier: GPL-2.0-only */
/* TakenEntry: what was taken out of an entry, to be given back once no PE has it cached any more.
 */
#pragma once

#include "arch/powerpc/tce/tce_format.h"
#include "kernel/mm.h"

namespace tce {

struct TakenEntry {
	OldEntry old;
	unsigned long backing; /* the view's word */

	constexpr bool operator==(const TakenEntry &) const = default;
};

static_assert(sizeof(TakenEntry) == sizeof(glue_taken_entry));

/*
 * The devices may have written to the pages of those of the @count entries from @first on that let
 * them. While the pages are pinned: before their counts are dropped.
 */
inline void mark_pages_dirty(const TakenEntry *first, unsigned long count)
{
	glue_mark_pages_dirty(reinterpret_cast<const glue_taken_entry *>(first), count);
}

} /* namespace tce */

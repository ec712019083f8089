/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MemoryRun: successive pages of the user's memory, of the size of a table's, as Mapper takes them
 * one after the other. Registered regions (RegisteredRun) and pages that were pinned for their
 * entries (PinnedRun) are such.
 */
#pragma once

#include <concepts>

#include "arch/powerpc/tce/tce_types.h"
#include "drivers/vfio/backing.h"

namespace tce {

/*
 * left() is how many pages there are from here on. take() counts the page here for an entry and
 * gives its address; backing() is the word for the entry's view; give_back() is for when there is
 * no entry after all. step() goes on to the next page.
 */
/* These are no blocks. clang-format takes them for such. */
/* clang-format off */
template <typename T>
concept MemoryRun = std::copyable<T> && requires(const T here, T run, unsigned long &page) {
	{ here.left() } -> std::same_as<Entries>;
	{ here.take(page) } -> std::same_as<Result<void>>;
	{ here.backing() } -> std::same_as<Backing>;
	{ here.give_back() } -> std::same_as<void>;
	{ run.step() } -> std::same_as<void>;
};
/* clang-format on */

} /* namespace tce */

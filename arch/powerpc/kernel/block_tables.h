/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leaves of the tables that are our own, with TCEs and userspace view in blocks of memory (Levels),
 * a block of which is added when something is mapped there first.
 */
#pragma once

#include "arch/powerpc/kernel/table.h"

namespace tce {

/* See Table::find() and Table::reserve(). */
Leaf find_block_leaf(const Table &table, TceIndex index);
Result<Leaf> reserve_block_leaf(const Table &table, TceIndex index);

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TableShape: a window that a user asks for, which a group can have. TableGroup::check() is the one
 * place that makes it, so who is given one need not check it again.
 */
#pragma once

#include "arch/powerpc/tce/level_shape.h"
#include "arch/powerpc/tce/tce_types.h"

namespace tce {

class TableShape {
public:
	PageShift page() const { return PageShift(m_window.page_shift); }
	Bytes size() const { return m_window.size; }
	Entries entries() const { return page().entries(size()); }
	unsigned int levels() const { return m_window.levels; }
	/* Of a table whose size is a power of two. */
	LevelShape level_shape() const { return LevelShape::of_window(m_window); }
	/* The most that the table and its userspace view can take. */
	Bytes memory() const { return m_memory; }

private:
	friend class TableGroup;

	explicit TableShape(const WindowShape &window) : m_window(window) {}

	WindowShape m_window;
	Bytes m_memory;
};

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ScopeExit: undoes a step when the scope is left, unless dismissed. Rollback without goto.
 */
#pragma once

#include "kcxx/utility.h"

namespace kcxx {

template <typename F> class [[nodiscard]] ScopeExit {
public:
	explicit ScopeExit(F undo) : m_undo(move(undo)) {}
	ScopeExit(const ScopeExit &) = delete;
	ScopeExit &operator=(const ScopeExit &) = delete;
	~ScopeExit()
	{
		if (m_armed)
			m_undo();
	}

	/* The step is to stay. */
	void dismiss() { m_armed = false; }

private:
	F m_undo;
	bool m_armed = true;
};

} /* namespace kcxx */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Backing: what the userspace view says of an entry: which memory is behind it, and so what is to
 * be given back once the entry is gone. A word of the view is one of
 *
 *  0			nothing is mapped
 *  a user's address	memory of a registered region, which the entry is counted in
 *  a pinned page	a page that was pinned for this entry alone: its address with the top bit
 *			set, which no user's address has
 *
 * KVM's handlers look a view's word up as an address of the user. A pinned page is none, in any
 * process, so that they find no region that they could take for the entry's.
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"

namespace tce {

class Backing {
public:
	constexpr Backing() = default;
	/* A word as it is in the view. */
	explicit constexpr Backing(unsigned long word) : m_word(word) {}

	static constexpr Backing registered(UserAddr user) { return Backing(user.value()); }
	static constexpr Backing pinned(HostPhys page)
	{
		return Backing(page.value() | pinned_mark);
	}

	constexpr unsigned long word() const { return m_word; }
	constexpr bool is_nothing() const { return !m_word; }
	constexpr bool is_pinned() const { return m_word & pinned_mark; }
	/* Of a registered one. */
	constexpr UserAddr user() const { return UserAddr(m_word); }
	/* Of a pinned one. */
	constexpr HostPhys page() const { return HostPhys(m_word & ~pinned_mark); }

private:
	static constexpr unsigned long pinned_mark = kcxx::power_of_two(63);

	unsigned long m_word = 0;
};

} /* namespace tce */

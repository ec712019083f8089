/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LockedMemory: pages charged to a process as locked memory (VmLck, RLIMIT_MEMLOCK) for as long
 * as this object lives.
 */
#pragma once

#include "arch/powerpc/tce/tce_types.h"
#include "drivers/vfio/address_space.h"
#include "kcxx/utility.h"

namespace tce {

class LockedMemory {
public:
	/* -ENOMEM beyond the caller's RLIMIT_MEMLOCK. May sleep. Source: account_locked_vm(). */
	static Result<LockedMemory> charge(mm_struct *mm, Pages pages)
	{
		TRY(Result<void>::from_kernel(account_locked_vm(mm, pages.value(), true)));
		return LockedMemory(AddressSpace::share(mm), pages);
	}

	/* Charges nothing. */
	LockedMemory() = default;
	LockedMemory(LockedMemory &&) = default;
	LockedMemory &operator=(LockedMemory &&other) noexcept
	{
		LockedMemory old(kcxx::move(other));

		kcxx::swap(m_mm, old.m_mm);
		kcxx::swap(m_pages, old.m_pages);
		return *this;
	}
	~LockedMemory()
	{
		if (m_mm)
			account_locked_vm(m_mm.get(), m_pages.value(), false);
	}

	Pages pages() const { return m_pages; }
	/* Something is charged. */
	explicit operator bool() const { return static_cast<bool>(m_mm); }

private:
	LockedMemory(AddressSpace mm, Pages pages) : m_mm(kcxx::move(mm)), m_pages(pages) {}

	AddressSpace m_mm;
	Pages m_pages;
};

} /* namespace tce */

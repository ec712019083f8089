// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/platforms/pseries/hypervisor.h"

#include "arch/powerpc/platforms/pseries/glue/hypercalls.h"
#include "kcxx/relaxed.h"
#include "kernel/memory.h"

namespace tce {

namespace {

/* The hypervisor takes 4 KiB, aligned. */
constexpr unsigned long list_size = kernel_page.size().value();

/* Cleared for good by the first call that the hypervisor turns out not to have. */
constinit kcxx::Relaxed<bool> has_multi_tce{ false };

bool may_use_multi_tce(Entries count)
{
	return count > Entries(1) && has_multi_tce.load();
}

/* False if the hypervisor has no such call, which is not made again then. */
bool exists(long code)
{
	if (code != KERNEL_H_FUNCTION)
		return true;
	has_multi_tce.store(false);
	return false;
}

} /* namespace */

void find_multi_tce_calls()
{
	has_multi_tce.store(glue_papr_has_multi_tce());
}

Result<TceList> TceList::allocate(int node)
{
	AtomicBigEndian *list =
		static_cast<AtomicBigEndian *>(glue_alloc_block(node, list_size, true));

	if (!list)
		return Errno::NoMemory;
	return TceList(list);
}

TceList::~TceList()
{
	if (m_list)
		glue_free_block(m_list, list_size);
}

bool TceCalls::put(TceIndex index, unsigned long tce) const
{
	return !glue_h_put_tce(m_liobn, address(index), tce);
}

bool TceCalls::put_list(EntryRange range, AtomicBigEndian *list) const
{
	if (may_use_multi_tce(range.count)) {
		long code = glue_h_put_tce_indirect(m_liobn, address(range.first), list,
						    range.count.value());

		if (exists(code))
			return !code;
	}
	for (unsigned long i = 0; i < range.count.value(); ++i) {
		if (!put(range.first + Entries(i), list[i].load()))
			return false;
	}
	return true;
}

/*
 * An entry that stays keeps its page in reach of the device. So a failure is tried again: each
 * entry by itself after the range, and then a second time.
 */
bool TceCalls::clear(EntryRange range) const
{
	if (may_use_multi_tce(range.count)) {
		long code = glue_h_stuff_tce(m_liobn, address(range.first), 0, range.count.value());

		if (exists(code) && !code)
			return true;
	}

	bool all = true;

	for (TceIndex index = range.first; index < range.end(); index += Entries(1))
		all = (put(index, 0) || put(index, 0)) && all;
	return all;
}

} /* namespace tce */

// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/iova_space.h"

namespace tce {

Result<IovaRange> IovaRange::of(Ioba first, Bytes size)
{
	unsigned long last;

	if (__builtin_add_overflow(first.value(), size.value() - 1, &last))
		return Errno::Overflow;
	return IovaRange{ first, Ioba(last) };
}

Result<void> IovaSpace::add(IovaRange window)
{
	TRY(m_ranges.reserve_one());
	m_ranges.insert(m_ranges.size(), window);
	return {};
}

Result<void> IovaSpace::exclude(IovaRange hole)
{
	IovaSpace left;

	for (unsigned long i = 0; i < m_ranges.size(); ++i) {
		const IovaRange range = m_ranges[i];

		if (!range.overlaps(hole)) {
			TRY(left.add(range));
			continue;
		}
		if (range.first < hole.first)
			TRY(left.add({ range.first, Ioba(hole.first.value() - 1) }));
		if (range.last > hole.last)
			TRY(left.add({ Ioba(hole.last.value() + 1), range.last }));
	}
	m_ranges = kcxx::move(left.m_ranges);
	return {};
}

bool IovaSpace::contains(const IovaRange &wanted) const
{
	for (unsigned long i = 0; i < m_ranges.size(); ++i) {
		if (m_ranges[i].contains(wanted))
			return true;
	}
	return false;
}

} /* namespace tce */

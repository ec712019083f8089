/* SPDX-License-Identifier: GPL-2.0-only */
/* Which call of a function that can fail is to fail. */
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace fake {

/* Where the kernel can fail the driver. */
enum class Point {
	Alloc,
	AllocArray,
	AllocNoWait,
	CopyFromUser,
	CopyToUser,
	ChargeLocked,
	PinRegion,
	PinPages,
	CountMapping,
	CountPage,
	SizeTable,
	CreateTable,
	AllocLevel,
	AllocView,
	SetWindow,
	LinkTable,
	UnsetWindow,
	KillPe,
	Eeh,
	PutTce,
	PutTceIndirect,
	StuffTce,
};

class Failures {
public:
	/* From now on the @nth call at @point fails, once. */
	void fail(Point point, unsigned long nth = 1) { plan(nth, point); }
	/* The same, counted over all points. */
	void fail_any(unsigned long nth) { plan(nth, std::nullopt); }
	/* All further calls at @point fail. */
	void fail_always(Point point) { m_always.insert(point); }
	/* Nothing fails any more. */
	void forget()
	{
		m_always.clear();
		m_countdown = 0;
	}

	/* At each call of a function that can fail. */
	bool hit(Point point)
	{
		std::lock_guard guard(m_mutex);

		++m_calls[point];
		if (m_always.contains(point))
			return true;
		if (!m_countdown || (m_only && *m_only != point) || --m_countdown)
			return false;
		m_failed = point;
		return true;
	}

	/* How often the driver came to @point. */
	unsigned long calls(Point point) { return m_calls[point]; }

	/* What a plan has made fail. */
	std::optional<Point> failed() const { return m_failed; }

private:
	void plan(unsigned long nth, std::optional<Point> only)
	{
		m_countdown = nth;
		m_only = only;
		m_failed.reset();
	}

	std::mutex m_mutex;
	unsigned long m_countdown = 0;
	std::optional<Point> m_only;
	std::optional<Point> m_failed;
	std::set<Point> m_always;
	std::map<Point, unsigned long> m_calls;
};

} /* namespace fake */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Who looks at the driver from outside: by events and in debugfs. */
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace fake {

/* Gets all events while it lives; one at a time. */
class Tracer {
public:
	Tracer();
	~Tracer();
	Tracer(const Tracer &) = delete;

	/* Those since the last call, one a line. */
	std::string take();
	void add(const std::string &event);

private:
	std::mutex m_mutex;
	std::string m_events;
};

/* The directories of containers. */
std::set<unsigned int> containers();
/* What is read there; empty if there is none. */
std::string read_state(unsigned int container);
std::string read_driver();

} /* namespace fake */

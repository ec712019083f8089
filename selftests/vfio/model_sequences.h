/* SPDX-License-Identifier: GPL-2.0-only */
/* Sequences of pseudo-random calls: the same ones from the same seed. */
#pragma once

#include <vector>

#include "model_machine.h"
#include "model_player.h"

namespace played {

struct Sequence {
	/* As in Setup. */
	unsigned long locked_limit;
	std::vector<Call> calls;
};

Sequence make_sequence(const Setup &setup, const model_run &run, unsigned long seed);

} /* namespace played */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machine has, for the model of it. */
#pragma once

#include "model_machine.h"

namespace played {

/* So many are in the area of each size of huge pages. */
constexpr unsigned long huge_pages = 2;

/* Says why, and ends the process. */
[[noreturn]] void die(const char *what);

/* Ends the process if there is nothing to play with. */
Setup make_setup();

} /* namespace played */

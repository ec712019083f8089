/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AddressSpace: a reference that keeps a process's mm_struct (not its pages) in existence, so
 * that what was charged to it can be given back after the process has gone.
 */
#pragma once

#include "kcxx/ref.h"
#include "kernel/mm.h"

template <> struct kcxx::RefTraits<mm_struct> {
	static void get(mm_struct *mm) { glue_mm_grab(mm); }
	static void put(mm_struct *mm) { glue_mm_drop(mm); }
};

namespace tce {

using AddressSpace = kcxx::Ref<mm_struct>;

} /* namespace tce */

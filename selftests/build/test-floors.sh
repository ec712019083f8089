#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# That scripts/check-floors.sh finds an include, a call and a folder that break the order of the floors:
# in copies of the source, with the objects of the module for one kernel.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

out=$build/6.12
[ -s "$out/generated/kernel_layout.h" ] || die "no module for 6.12: run make module KERNEL=6.12"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS MESSAGE FILE CODE: of a copy with that code at the end of the file
expect() {
	local status=0 output
	rm -rf "$work/copy"
	mkdir -p "$work/copy"
	tar -C "$repo" -c kernel include arch drivers scripts/common.sh scripts/check-floors.sh |
		tar -C "$work/copy" -x
	mkdir -p "$work/copy/${3%/*}"
	printf '%s\n' "$4" >>"$work/copy/$3"
	output=$("$work/copy/scripts/check-floors.sh" "$out" 2>&1) || status=$?
	if [ "$status" != "$1" ] || [[ $output != *"$2"* ]]; then
		say "$4 in $3: status $status, \"$output\"; expected $1, \"$2\""
		failures=$((failures + 1))
	fi
}

expect 0 'lead to the same floor or below' drivers/vfio/window.cc ''
expect 1 'kernel/mm.h: drivers/vfio/entry.h is in drivers/vfio, which is not below' \
	kernel/mm.h '#include "drivers/vfio/entry.h"'
expect 1 'platforms/pseries/hypervisor.cc: arch/powerpc/platforms/powernv/invalidation.h is in' \
	arch/powerpc/platforms/pseries/hypervisor.cc '#include "arch/powerpc/platforms/powernv/invalidation.h"'
# Declared in the place, so that no include tells.
expect 1 'arch/powerpc/own_tables/levels.cc: tce_container_release is in drivers/vfio, which is not below' \
	arch/powerpc/own_tables/levels.cc \
	'extern "C" void tce_container_release(void *); void f() { tce_container_release(nullptr); }'
expect 1 'which is not below' arch/powerpc/own_tables/levels.cc \
	'namespace tce { void choose_platform(bool); } void g() { tce::choose_platform(true); }'
expect 1 'drivers/vfio/more/file.cc: drivers/vfio/more is on no floor' drivers/vfio/more/file.cc \
	'#include "kernel/mm.h"'
[ "$failures" = 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# That scripts/check-floors.sh finds an include, a call and a folder that break the order of the floors:
# in a copy of the source, with the objects of the module for one kernel.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

out=$build/6.12
[ -s "$out/generated/kernel_layout.h" ] || die "no module for 6.12: run make module KERNEL=6.12"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

copy=$work/copy
mkdir "$copy"
tar -C "$repo" -c kernel include arch drivers scripts/common.sh scripts/check-floors.sh | tar -C "$copy" -x

# floors STATUS: check-floors.sh on the copy ends with that; sets output
floors() {
	local status=0
	output=$("$copy/scripts/check-floors.sh" "$out" 2>&1) || status=$?
	if [ "$status" != "$1" ]; then
		say "status $status, \"$output\"; expected $1"
		failures=$((failures + 1))
	fi
}

# expect MESSAGE: it said that
expect() {
	if [[ $output != *"$1"* ]]; then
		say "\"$output\"; expected \"$1\""
		failures=$((failures + 1))
	fi
}

# spoil FILE CODE: the copy has that at the end of the file
spoil() {
	mkdir -p "$copy/${1%/*}"
	printf '%s\n' "$2" >>"$copy/$1"
}

floors 0
expect 'lead to the same floor or below'

spoil kernel/mm.h '#include "drivers/vfio/entry.h"'
spoil arch/powerpc/platforms/pseries/hypervisor.cc \
	'#include "arch/powerpc/platforms/powernv/invalidation.h"'
# Declared in the place, so that no include tells.
spoil arch/powerpc/own_tables/levels.cc \
	'extern "C" void tce_container_release(void *); void f() { tce_container_release(nullptr); }'
spoil arch/powerpc/own_tables/levels.cc \
	'namespace tce { void choose_platform(bool); } void g() { tce::choose_platform(true); }'
spoil drivers/vfio/more/file.cc '#include "kernel/mm.h"'
floors 1
expect 'kernel/mm.h: drivers/vfio/entry.h is in drivers/vfio, which is not below'
expect 'platforms/pseries/hypervisor.cc: arch/powerpc/platforms/powernv/invalidation.h is in'
expect 'arch/powerpc/own_tables/levels.cc: tce_container_release is in drivers/vfio, which is not below'
expect 'arch/powerpc/own_tables/levels.cc: _ZN3tce15choose_platformEb is in arch/powerpc/platforms, which is not below'
expect 'drivers/vfio/more/file.cc: drivers/vfio/more is on no floor'
[ "$failures" = 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the audit of a module refuses, for a kernel that is tested and for another one, and that the
# comparison with the stock module finds it, compressed or not, and ends on a difference.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

cross=powerpc64le-linux-gnu-
kernel=6.12
stock=$build/kernels/$kernel/modules/vfio_iommu_spapr_tce.ko
layout=$build/$kernel/generated/kernel_layout.h
[ -s "$layout" ] || die "no module for $kernel: run make module KERNEL=$kernel"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS MESSAGE COMMAND...
expect() {
	local wanted=$1 message=$2 status=0 output
	shift 2
	output=$(NM=${cross}nm READELF=${cross}readelf "$@" 2>&1) || status=$?
	if [ "$status" != "$wanted" ] || [[ $output != *"$message"* ]]; then
		say "$*: status $status, \"$output\"; expected $wanted, \"$message\""
		failures=$((failures + 1))
	fi
}

# object CODE [FLAG...]: an object file of it
object() {
	"${cross}g++" -ffreestanding -fno-exceptions "${@:2}" -x c++ -c -o "$work/object.o" - <<<"$1"
}
asan=(-fsanitize=kernel-address -fasan-shadow-offset=0xa80e000000000000 --param 'asan-globals=1')

audit=$repo/scripts/audit-module.sh
object 'extern "C" int kfree(); int f() { return kfree(); }'
expect 0 'undefined symbols; no C++' "$audit" tested "$work/object.o"
object 'extern "C" int no_such_symbol(); int f() { return no_such_symbol(); }'
expect 1 no_such_symbol "$audit" tested "$work/object.o"
expect 0 'note: not wanted on the kernels that are tested: no_such_symbol' "$audit" other "$work/object.o"
expect 0 'undefined symbols, 1 of them unknown;' "$audit" other "$work/object.o"
object 'int *f() { return new int; }'
expect 1 'C++ runtime' "$audit" other "$work/object.o"
object 'int g(); int x = g();'
expect 1 'static constructors' "$audit" other "$work/object.o"
object 'int x[4]; int f(int i) { return x[i]; }' "${asan[@]}"
expect 0 'no static constructors' "$audit" tested "$work/object.o"
object 'extern "C" int kfree(); int x = kfree();' "${asan[@]}"
expect 1 'static constructors' "$audit" tested "$work/object.o"
object 'extern "C" { int __ksymtab_f = 1; }'
expect 1 'exported symbols' "$audit" other "$work/object.o"
object 'asm(".section a,\"a\",@progbits,unique,1; .byte 1; .section a,\"a\",@progbits,unique,2; .byte 1");'
expect 1 'sections of the same name' "$audit" other "$work/object.o"

verify=$repo/scripts/verify-driver-ops.sh
modules=$work/modules/kernel/drivers/vfio
mkdir -p "$modules"
expect 0 'there is no stock module' "$verify" "$work/modules" "$layout"
for compress in cat 'xz -c' 'zstd -qc' 'gzip -c'; do
	case $compress in
	cat) ending='' ;;
	xz*) ending=.xz ;;
	zstd*) ending=.zst ;;
	gzip*) ending=.gz ;;
	esac
	$compress <"$stock" >"$modules/${stock##*/}$ending"
	expect 0 'as we declare it' "$verify" "$work/modules" "$layout"
	sed 's/^\(#define DRIVER_OPS_ioctl \).*/\18/' "$layout" >"$work/moved.h"
	expect 1 'vfio_iommu_driver_ops.ioctl is at' "$verify" "$work/modules" "$work/moved.h"
	sed 's/^\(#define DRIVER_OPS_size \).*/\18/' "$layout" >"$work/longer.h"
	expect 1 'struct vfio_iommu_driver_ops has' "$verify" "$work/modules" "$work/longer.h"
	echo nonsense >"$modules/${stock##*/}$ending"
	expect 1 verify: "$verify" "$work/modules" "$layout"
	rm "$modules"/*
done
[ "$failures" = 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Gives two edu devices to a machine that is not a pSeries one: QEMU's PC, which knows containers of type 1
# only, in one lane (a machine and a kernel) with our module. See guest-init. The last line of output is the
# count; the exit status is 0 if nothing failed.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

[ $# = 1 ] || usage_error "$self.sh LANE"
open_lane "$1"
name=qemu-pc-$lane
self=$name
qemu=$build/target/qemu-pc
[ -e "$qemu/stamp" ] || die "no QEMU for the guest: run scripts/fetch-guest-program.sh qemu-pc"

libraries=("$qemu"/lib/*)
initramfs=$build/initramfs/$name.cpio
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$repo/selftests/qemu-pc/guest-init" ":$here/guest.sh" \
	":$here/client.sh" $(vfio_modules) "modules/ours:$(module_file ours)" "modules/stock:$(module_file stock)" \
	"bin:$qemu/bin/qemu-system-x86_64" "${libraries[@]/#/lib:}" "lib64:$qemu/lib64/ld64.so.2"

boot_guest "$name" "$(emulator)" "$initramfs" '' qemu-pc -smp 2
mv "$log_dir/$name.results.all" "$log_dir/$name.results"
report_lane "$name" "$name"

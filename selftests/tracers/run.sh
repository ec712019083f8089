#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a machine on which Debian's bpftrace, perf and trace-cmd look at the events of our module, see
# guest-init.
# The last line of output is the count; the exit status is 0 if nothing failed.
#
# usage: run.sh LANE

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

[ $# = 1 ] || usage_error "$self.sh LANE"
open_lane "$1"
name=tracers-$lane
self=$name
module=$(module_file ours)
programs=()
for program in bpftrace perf trace-cmd; do
	dir=$build/target/$program
	[ -e "$dir/stamp" ] || die "no $program for the guest: run scripts/fetch-guest-program.sh $program"
	libraries=("$dir"/lib/*)
	programs+=("bin:$dir/bin/$program" "${libraries[@]/#/lib:}" "lib64:$dir/lib64/ld64.so.2")
done
initramfs=$build/initramfs/$name.cpio
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$repo/selftests/tracers/guest-init" ":$here/guest.sh" \
	$(vfio_modules) "modules:$module" "${programs[@]}" "bin:$repo/tools/tce-trace" \
	"bin:$repo/tools/tce-trace.bt" "tests:$programs_dir/demo"
# The machine has room for 128M.
gzip -1f "$initramfs"

boot_guest "$name" qemu-system-ppc64 "$initramfs.gz" '' tracers -smp 2
mv "$log_dir/$name.results.all" "$log_dir/$name.results"
report_lane "$name" "$name"

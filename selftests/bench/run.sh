#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compares the stock driver and ours, in one boot of one emulated CPU on which an
# instruction takes one nanosecond, and in one of two such CPUs: the numbers are
# instruction counts, and they repeat on any machine. Writes build/bench-KERNEL.csv and
# build/bench-KERNEL.svg, and prints the tables that Documentation/performance.rst has.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"
self=bench
bench_dir=$repo/selftests/bench

[ $# = 1 ] || usage_error "run.sh KERNEL"
open_lane "powernv9-$1"
ours=$(module_file ours)
stock=$(module_file stock)
floor=$build/bench-floor/$kernel/tce_floor.ko
program=$build/selftests/bench-ppc64le/bench
for file in "$floor" "$program"; do
	[ -s "$file" ] || die "no ${file#"$repo/"}"
done
# The one whose CPUs go on at the same time; see lockstep.patch.
lockstep=$(emulator)

name=bench-$kernel
initramfs=$build/initramfs/$name.cpio
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$bench_dir/bench-init" \
	":$here/guest.sh" $(vfio_modules) $(kvm_modules) "modules/stock:$stock" \
	"modules/ours:$ours" "modules:$floor" "tests:$program"

# measure WHAT CPUS QEMU: boots once; the console goes to build/log/bench-KERNEL-WHAT.log
measure() {
	local log=$log_dir/$name-$1.log
	say "booting $kernel on $machine, CPUs: $2, one instruction a nanosecond"
	"$here/qemu.sh" --qemu "$3" --machine "$machine" --kernel "$kernel_dir" \
		--initramfs "$initramfs" --log "$log" --live --timeout 900 --append "bench=$1" \
		-- -smp "$2" -icount shift=0,sleep=off |
		while IFS= read -r line; do
			case $line in
			'guest: begin '*) say "measuring ${line#guest: begin }" ;;
			esac
		done || die "the guest did not finish; the console is in ${log#"$repo/"}"
	grep -q '^guest: unloaded' "$log" || die "the console is in ${log#"$repo/"}"
}
measure driver 1 qemu-system-ppc64
measure threads 2 "$lockstep"

csv=$build/$name.csv
awk -v kernel="$(cat "$kernel_dir/release")" -f "$bench_dir/csv.awk" \
	"$log_dir/$name-driver.log" "$log_dir/$name-threads.log" >"$csv" ||
	die "numbers are missing; the consoles are build/log/$name-*.log"
awk -f "$bench_dir/table.awk" "$csv"
gnuplot -e "csv='$csv'" "$bench_dir/plot.gp" >"${csv%.csv}.svg"
say "written to ${csv#"$repo/"} and its .svg"

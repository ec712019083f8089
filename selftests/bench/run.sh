#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compares the stock driver and ours in one boot of one emulated CPU on which an
# instruction takes one nanosecond: the numbers are instruction counts, and they
# repeat on any machine. Writes build/bench.csv and build/bench.svg, and prints
# the table that Documentation/performance.rst has.

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

log=$log_dir/bench.log
initramfs=$build/initramfs/bench.gz
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$bench_dir/bench-init" \
	":$here/guest.sh" $(vfio_modules) "modules/stock:$stock" \
	"modules/ours:$ours" "modules:$floor" "tests:$program"

say "booting $kernel on $machine, one instruction a nanosecond"
"$here/qemu.sh" --machine "$machine" --kernel "$kernel_dir" \
	--initramfs "$initramfs" --log "$log" --live --timeout 900 \
	-- -smp 1 -icount shift=0,sleep=off |
	while IFS= read -r line; do
		case $line in
		'guest: begin '*) say "measuring ${line#guest: begin }" ;;
		esac
	done || die "the guest did not finish; the console is in ${log#"$repo/"}"
grep -q '^guest: unloaded' "$log" || die "the console is in ${log#"$repo/"}"

awk -v kernel="$(cat "$kernel_dir/release")" -f "$bench_dir/csv.awk" "$log" >"$build/bench.csv" ||
	die "numbers are missing; the console is in ${log#"$repo/"}"
awk -f "$bench_dir/table.awk" "$build/bench.csv"
gnuplot -e "csv='$build/bench.csv'" "$bench_dir/plot.gp" >"$build/bench.svg"
say "written to build/bench.csv and build/bench.svg"

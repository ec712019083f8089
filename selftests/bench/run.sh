#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compares the stock driver and ours in one boot of one emulated CPU on which an
# instruction takes one nanosecond: the numbers are instruction counts, and they
# repeat on any machine. Prints a table and writes build/bench.csv.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"
self=bench

[ $# = 0 ] || usage_error "run.sh"
open_lane powernv9-6.12
ours=$(module_file ours)
stock=$(module_file stock)
bench=$build/selftests/bench-ppc64le/bench
[ -x "$bench" ] || die "no ${bench#"$repo/"}"

log=$log_dir/bench.log
initramfs=$build/initramfs/bench.gz
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$repo/selftests/bench/bench-init" \
	":$here/guest.sh" $(vfio_modules) "modules/stock:$stock" \
	"modules/ours:$ours" "tests:$bench"

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

awk -F, -v OFS=, '
	BEGIN { print "metric,regions,pages,stock,ours,ours_on_kernel_tables" }
	/^guest: begin / { sub(/^guest: begin /, ""); which = $0; next }
	/^guest: end / { which = ""; next }
	which == "" || !/^[a-z_0-9]+,[0-9]+,[0-9]+,[0-9.]+$/ { next }
	{
		key = $1 OFS $2 OFS $3
		if (which == "stock")
			order[++rows] = key
		value[which, key] = $4
	}
	END {
		for (i = 1; i <= rows; i++)
			print order[i], value["stock", order[i]], value["ours", order[i]],
				value["ours-on-kernel-tables", order[i]]
	}' "$log" >"$build/bench.csv"
[ "$(wc -l <"$build/bench.csv")" -gt 1 ] || die "no numbers; the console is in ${log#"$repo/"}"
awk -F, '
	function ratio(value) {
		return NR == 1 ? "ratio" : $4 > 0 && value != "" ? sprintf("%.3f", value / $4) : "-"
	}
	{
		printf "%-22s %7s %7s %12s %12s %7s %22s %7s\n", $1, $2, $3, $4, $5, ratio($5), $6,
			ratio($6)
	}' "$build/bench.csv"
say "written to build/bench.csv"

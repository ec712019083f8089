#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Measures the kernel's own type 1 on an emulated PC with an IOMMU of Intel's, on which an instruction takes one
# nanosecond, and prints it beside ours of the last `make bench KERNEL=6.12`: the table that
# Documentation/performance.rst has. Writes build/bench-pc.csv.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
self=bench-pc

[ $# = 0 ] || usage_error "run-pc.sh"
pc=$build/pc
program=$build/selftests/bench-x86_64/bench-pc
ours=$build/bench-6.12.csv
for file in "$pc/stamp" "$program" "$ours"; do
	[ -e "$file" ] || die "no ${file#"$repo/"}"
done

initramfs=$build/initramfs/bench-pc.cpio
modules=("$pc"/modules/*.ko)
BUSYBOX=$pc/busybox "$repo/selftests/qemu/build-initramfs.sh" "$initramfs" "$repo/selftests/bench/pc-init" \
	":$repo/selftests/qemu/guest.sh" "${modules[@]/#/modules:}" "tests:$program"

log=$log_dir/bench-pc.log
say "booting $(cat "$pc/release"), one instruction a nanosecond"
timeout $((300 * $("$repo/selftests/qemu/slowness.sh"))) qemu-system-x86_64 -M q35 -m 2G -smp 1 \
	-icount shift=0,sleep=off -device intel-iommu -device edu -nodefaults -display none -no-reboot \
	-serial stdio -kernel "$pc/vmlinuz" -initrd "$initramfs" \
	-append 'console=ttyS0 intel_iommu=on panic=-1 loglevel=4' </dev/null >"$log" || true
grep -q '^guest: finished' "$log" || die "the guest did not finish; the console is in ${log#"$repo/"}"

csv=$build/bench-pc.csv
awk -v release="$(cat "$pc/release")" '
	BEGIN {
		FS = OFS = ","
		print "kernel", "what", "memory", "pages", "floor", "type1"
	}
	{ sub(/\r$/, "") }
	/^guest: begin / { which = substr($0, 14) }
	# A million instructions take a million nanoseconds, or nothing here is a number of instructions.
	/^loop,/ { loops++; bad = bad || $2 < 1000000 || $2 > 1010000 }
	/^row,/ { value[which, $2 OFS $3 OFS $8] = $11 }
	/^row,/ && which == "driver" { order[++rows] = $2 OFS $3 OFS $8 }
	END {
		for (i = 1; i <= rows; i++)
			print release, order[i], value["floor", order[i]], value["driver", order[i]]
		exit bad || loops != 2 || rows != 9
	}' "$log" >"$csv" || die "these are no numbers of instructions, or some are missing: ${log#"$repo/"}"

printf 'Kernel %s; ours: %s.\n\n' "$(cat "$pc/release")" "$(awk -F, 'NR == 2 { print $1 }' "$ours")"
awk '
	BEGIN {
		FS = ","
		title["type1_map"] = "``MAP_DMA``, per page"
		title["type1_unmap"] = "``UNMAP_DMA``, per page"
		title["type1_map_thp"] = "``MAP_DMA`` of THP"
		title["type1_unmap_thp"] = "``UNMAP_DMA`` of THP"
		title["type1_many"] = "both, the last mapping"
		title["type1_close"] = "closing, per page"
		form = "%-24s  %-6s  %-9s  %-8s  %-7s  %-8s  %-10s  %-7s  %-7s  %s"
		rule = sprintf(form, equal(24), equal(6), equal(9), equal(8), equal(7), equal(8), equal(10),
			       equal(7), equal(7), equal(9))
		print rule
		line("calls", "memory", "pages", "PC floor", "PC", "/ floor", "ours floor", "ours", "/ floor",
		     "ours / PC")
		print rule
	}
	function equal(width) {
		return substr("========================", 1, width)
	}
	function line(a, b, c, d, e, f, g, h, i, j, text) {
		text = sprintf(form, a, b, c, d, e, f, g, h, i, j)
		sub(/ +$/, "", text)
		print text
	}
	function number(text) {
		while (match(text, /[0-9][0-9][0-9][0-9]($|[,.])/))
			text = substr(text, 1, RSTART) "," substr(text, RSTART + 1)
		return text == "" ? "-" : text
	}
	function quotient(value, base) {
		return base == "" ? "-" : sprintf("%.2f", value / base)
	}
	FNR == 1 { next }
	FILENAME == ARGV[1] { floor[$2, $3, $8] = $11; ours[$2, $3, $8] = $13; next }
	{
		key = $2 SUBSEP $3 SUBSEP $4
		line(title[$2], $3, number($4), number($5), number($6), number(quotient($6, $5)), number(floor[key]),
		     number(ours[key]), quotient(ours[key], floor[key]), quotient(ours[key], $6))
	}
	END { print rule }' "$ours" "$csv"
say "written to ${csv#"$repo/"}"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows one defect of the stock driver: boots a machine with it and runs the test that selftests/defects
# has for that number, then boots the same with our module. The exit status is 0 if the stock driver fails
# the test and ours passes it. Without a number it lists what can be shown.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

# Nothing here hangs on what a PHB remembers of its TCEs: the packaged QEMU does, and needs no build.
emulator() {
	echo qemu-system-ppc64
}

# rows: of the table in README.md: number, tab, what the stock driver does, tab, what ours does
rows() {
	sed -n 's/\*//g; s/^| \(D[0-9]*\) | \(.*\) | \(.*\) |$/\1\t\2\t\3/p' "$repo/README.md"
}

# how_to_show NUMBER: the lane, the program and the test
how_to_show() {
	awk -v number="$1" '$1 == number { print $2, $3, $4 }' "$repo/selftests/defects"
}

list() {
	local number stock lane
	while IFS=$'\t' read -r number stock _; do
		read -r lane _ < <(how_to_show "$number") || lane='no test'
		printf '%-4s %-19s %s\n' "$number" "$lane" "$stock"
	done < <(rows)
	echo
	echo 'make reproduce DEFECT=<one of these>'
}

# tell WHO NAME: what became of the test
tell() {
	awk -v who="$1" -v test="$test" '
		# The path of the source and the name of the test say nothing new, and nor do these lines.
		/Test failed$| == complaint / { next }
		# Of what the kernel said when it went down, where it was is enough: the rest is in the log.
		/^\t\[ *[0-9.,]+\]/ && !/ NIP \[.*\+0x/ { next }
		/^\t/ {
			sub(/^\t(# +)?/, "")
			sub(/^[^ ]*\//, "")
			sub(":" test ":", ": ")
			print "        " $0
			next
		}
		{
			verdict = $1 == "pass" ? "passes" : $1 == "skip" ? "skips the test" : "FAILS"
			sub(/^[^ ]+ [^ ]+ [^ ]+ ?/, "")
			printf "    %s %s%s\n", who, verdict, $0 == "" ? "" : ": " $0
		}' "$log_dir/$2.results"
}

if [ $# = 0 ]; then
	list
	exit
fi
[ $# = 1 ] || usage_error "$self.sh [NUMBER]"
number=$1
row=$(rows | grep "^$number	") || die "no defect $number: make reproduce lists them"
IFS=$'\t' read -r _ defect remedy <<<"$row"
printf '%s, the stock driver: %s\n%*s  ours: %s\n\n' "$number" "$defect" ${#number} '' "$remedy"
read -r lane program test < <(how_to_show "$number") ||
	die "there is no test of $number: it was found by reading the stock driver"

open_lane "$lane"
# D23 pins 2 GiB, beside the large pages that are set aside.
[[ $machine != powernv* ]] || options+=(-m 4G)
say "$test of $program shows it, on $lane"
name=reproduce-$number
silence=100
boot_stock_test "$name-stock" "$program" "$test"
tell 'the stock driver' "$name-stock"
boot_test "$name-ours" "$(module_file ours)" "$program" "$test"
tell ours "$name-ours"
say "the consoles are in build/log/$name-stock.log and -ours.log"
if [ "$(count_results "$name-stock" fail),$(count_results "$name-ours" pass)" != 1,1 ]; then
	echo "$number: NOT shown"
	exit 1
fi
echo "$number: the stock driver has it, ours has not"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Puts the last bench's tables and plot into Documentation/performance.rst: all of 7.2, and the calls for
# one page of 6.12.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

doc=$repo/Documentation/performance.rst
tables=$build/bench.rst

# print_tables KERNEL TITLE AWK-ARGS...
print_tables() {
	local csv=$build/bench-$1.csv title=$2
	shift 2
	[ -s "$csv" ] || die "no ${csv#"$repo/"}: run make bench KERNEL=..."
	printf '%s\n%s\n\n' "$title" "${title//?/=}"
	awk -F, 'NR == 2 { print "Kernel " $1 ".\n" }' "$csv"
	awk "$@" -f "$repo/selftests/bench/table.awk" "$csv"
}

{
	print_tables 7.2 "The figures"
	echo
	print_tables 6.12 "Calls for one page on 6.12" -v one_page=1
} >"$tables"
awk -v tables="$tables" '
	/^\.\. end of the tables/ { skip = 0; found++ }
	!skip { print }
	/^\.\. the tables/ {
		print ""
		while ((getline line <tables) > 0)
			print line
		print ""
		skip = 1
		found++
	}
	END { exit found != 2 }' "$doc" >"$doc.new" || die "${doc#"$repo/"} has not the two marks"
mv "$doc.new" "$doc"
cp "$build/bench-7.2.svg" "${doc%.rst}.svg"
say "written: ${doc#"$repo/"} and its plot"

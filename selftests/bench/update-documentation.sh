#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Puts the last bench's tables and plot into Documentation/performance.rst.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

csv=$build/bench.csv
[ -s "$csv" ] || die "no ${csv#"$repo/"}: run make bench"
doc=$repo/Documentation/performance.rst
tables=$build/bench.rst
{
	awk -F, 'NR == 2 { print "Kernel " $1 ".\n" }' "$csv"
	awk -f "$repo/selftests/bench/table.awk" "$csv"
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
cp "$build/bench.svg" "${doc%.rst}.svg"
say "written: ${doc#"$repo/"} and its plot"

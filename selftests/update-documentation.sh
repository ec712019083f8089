#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Puts the counts of the last `make check` or `make check-all` into the table of lanes in
# Documentation/testing.rst. What that run had no suite for stays as it is.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

doc=$repo/Documentation/testing.rst
counts=("$log_dir/check.counts" "$log_dir/check.stock")
for file in "${counts[@]}"; do
	[ -s "$file" ] || die "no ${file#"$repo/"}: run make check"
done

# A row of the table begins with a lane's name, and its columns are where the line of = has them.
awk '
	# put COLUMN TEXT: into the line
	function put(column, text) {
		if (length(text) > width[column])
			exit narrow = 1
		$0 = substr($0, 1, from[column] - 1) sprintf("%-" width[column] "s", text) \
			substr($0, from[column] + width[column])
	}
	FILENAME != ARGV[ARGC - 1] {
		name = $1
		sub(/:$/, "", name)
		passed[name] = $2
		failed[name] = $4
		skipped[name] = $6
		lost[name] = $0 ~ /not reached/ ? $8 : 0
		next
	}
	/^=====/ {
		columns = 0
		for (at = 1; match(substr($0, at), /=+/); at += RSTART + RLENGTH - 1) {
			from[++columns] = at + RSTART - 1
			width[columns] = RLENGTH
		}
	}
	/^``[a-z0-9]+(-noddw)?-[0-9.]+(-64k)?`` / && columns == 6 {
		lane = $1
		gsub(/`/, "", lane)
		for (name in passed) {
			if (name == lane "-ours")
				put(3, passed[name] ", " skipped[name])
			if (name == lane "-kernel-tables" || name == lane "-single-tce-some")
				put(4, passed[name] ", " skipped[name])
			if (name == "stock-" lane)
				put(5, passed[name] ", " failed[name] ", " skipped[name] ", " lost[name])
		}
		found++
	}
	{ print }
	END { exit narrow || !found }' "${counts[@]}" "$doc" >"$doc.new" || die "${doc#"$repo/"} has no table of lanes, or one that is too narrow"
mv "$doc.new" "$doc"

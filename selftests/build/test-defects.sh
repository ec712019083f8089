#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The table of defects in README.md and selftests/defects, by which they are shown, have the same numbers,
# but for those that are known from reading only. The tests and lanes that are named there exist.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

cd "$repo"
failures=0

wrong() {
	say "$*"
	failures=$((failures + 1))
}

to_show=$(sed -n '/^| D[0-9]* | \*read:/d; s/^| \(D[0-9]*\) |.*/\1/p' README.md)
shown=$(awk '/^D/ { print $1 }' selftests/defects)
[ -n "$to_show" ] || die "no table of defects in README.md"
[ "$to_show" = "$shown" ] || wrong "README.md has to show $(xargs <<<"$to_show"), selftests/defects" \
	"$(xargs <<<"$shown")"
while read -r number lane program test; do
	grep -qE "^[a-z-]+\s+lane $lane\s" selftests/lanes || wrong "$number: no lane $lane"
	[[ $test = d"${number#D}"_* ]] || wrong "$number: $test is not named after it"
	grep -q "^TEST.*[( ]$test)" "selftests/vfio/$program.c" || wrong "$number: no $test in $program"
done < <(grep '^D' selftests/defects)

[ "$failures" = 0 ]

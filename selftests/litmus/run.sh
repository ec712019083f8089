#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Asks herd7 what the kernel's memory model allows of the small programs here, each of which is what the
# driver does at one place where CPUs meet without a lock, or with one that has to be enough. A file says
# in its head what the answer has to be, for its "exists" clause:
#
#	Result: Never|Sometimes
#	Weaker: FROM -> TO	with TO in place of FROM, a regular expression of Perl's, the answer
#				has to be Sometimes. (A parenthesis before a star begins a
#				comment: there is a space between.)
#
# A data race is a failure, too, where nothing is weaker. The last line counts the results.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

[ $# = 0 ] || usage_error "$self.sh"
here=$repo/selftests/litmus
herd=$build/herd
output=$build/litmus
passed=0
failed=0

# ask FILE: what herd7 says of it
ask() {
	local libraries=("$herd"/usr/lib/*-linux-gnu*)
	(cd "$herd/memory-model" && timeout 300 "${libraries[0]}"/ld-linux*.so* \
		--library-path "${libraries[0]}" "$herd/usr/bin/herd7" \
		-set-libdir "$herd/usr/share/herdtools7/herd" -conf linux-kernel.cfg "$1") 2>&1
}

# check NAME FILE RESULT
check() {
	local answer
	answer=$(ask "$2") || true
	if grep -q "^Observation [^ ]* $3 " <<<"$answer" &&
		! { [ "$3" = Never ] && grep -q '^Flag data-race' <<<"$answer"; }; then
		echo "  PASS    $1: $3"
		passed=$((passed + 1))
	else
		echo "  FAIL    $1: not $3"
		failed=$((failed + 1))
		tail -n 20 <<<"$answer"
	fi
}

# replaced FILE FROM TO: the program of the file with TO wherever it has FROM; fails where it has none
replaced() {
	perl -0pe "s/^.*?\*\)\n/C weaker\n/s; s{$2}{$3}g or exit 1" "$1"
}

[ -d "$herd" ] || die "no build/herd: run scripts/fetch-herd.sh"
mkdir -p "$output"
for file in "$here"/*.litmus; do
	name=$(basename "$file" .litmus)
	check "$name" "$file" "$(sed -n 's/^ \* Result: //p' "$file")"
	sed -n 's/^ \* Weaker: //p' "$file" >"$output/weaker"
	while read -r line; do
		from=${line%% ->*}
		to=${line#"$from ->"}
		weaker=$output/$name.litmus
		replaced "$file" "$from" "$to" >"$weaker" || die "$name has no $from"
		check "$name without $from" "$weaker" Sometimes
	done <"$output/weaker"
done
echo "litmus: $passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]

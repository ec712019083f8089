#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All tests: the build with its audit, sparse and style; the host tests; each lane with our module,
# on its own tables and on the kernel's; and the first lane with the stock module. Lanes run two at a
# time. The last line adds up the counts.
#
# usage: check.sh LANE...

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

[ $# -gt 0 ] || usage_error "$self.sh LANE..."
lanes=("$@")
counts=$log_dir/check.counts
: >"$counts"

# step NAME COMMAND...: one test of the build.
step() {
	local name=$1 started=$SECONDS
	shift
	if "$@"; then
		echo "build: 1 passed, 0 failed, 0 skipped" >>"$counts"
		say "$name: ok ($((SECONDS - started)) s)"
	else
		echo "build: 0 passed, 1 failed, 0 skipped" >>"$counts"
		say "$name: FAILED"
	fi
}

# suite NAME COMMAND...: a test program whose last line is "NAME: N passed, N failed, N skipped".
# No such line, or a bad exit status without a failed test, is one more failure.
suite() {
	local name=$1 log=$log_dir/check-$1.log started=$SECONDS status=0 line
	shift
	"$@" >"$log" 2>&1 || status=$?
	sed "s/^/$name| /" "$log"
	line=$(grep -E '^[^ ]+: [0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1 || true)
	if [ -z "$line" ] || { [ "$status" != 0 ] && [[ $line == *' 0 failed'* ]]; }; then
		line="$name: 0 passed, 1 failed, 0 skipped"
	fi
	echo "$line" >>"$counts"
	say "$line ($((SECONDS - started)) s)"
}

cd "$repo"
step "kernel checks" selftests/build/test-check-kernel.sh
step "module, audit" make --no-print-directory module
step "sparse" make --no-print-directory sparse
step "lint" make --no-print-directory lint
make --no-print-directory target-tests emulator

suite host make --no-print-directory check-host

running=0
for lane in "${lanes[@]}"; do
	for tables in ours kernel-tables; do
		[ "$running" -lt 2 ] || wait -n
		suite "$lane-$tables" selftests/qemu/run-lane.sh "$lane" "--$tables" &
		running=$((running + 1))
	done
done
wait
# The stock driver's failures are its own; ours would be a test of a defect that it passes.
step "stock driver on ${lanes[0]}" selftests/qemu/stock-compare.sh "${lanes[0]}"

echo
cat "$counts"
awk '{ passed += $2; failed += $4; skipped += $6 }
     END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0 || passed == 0
     }' "$counts"

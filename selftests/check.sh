#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All tests: the build with its audit for every kernel, sparse and style; the host tests; each lane
# with our module, in each of the ways that the machine offers (see ways_of); guests in QEMU that
# get disks through the module; and the stock module in some lanes. Lanes run three at a time.
#
# At the end: a table of the lanes, with the stock driver beside ours, what failed in which suite,
# and a last line that adds up the counts. A stock driver's failures are its own and are not counted.
#
# usage: check.sh LANE... -- STOCK-LANE...

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

usage="$self.sh LANE... -- STOCK-LANE..."
lanes=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	lanes+=("$1")
	shift
done
if [ ${#lanes[@]} = 0 ] || [ $# -lt 2 ]; then
	usage_error "$usage"
fi
shift
stock_lanes=("$@")
counts=$log_dir/check.counts
stock_counts=$log_dir/check.stock
failures=$log_dir/check.failures
: >"$counts"
: >"$failures"
: >"$stock_counts"

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
		echo "$name" >>"$failures"
	fi
}

# run_suite NAME COMMAND...: a test program whose last line is "...: N passed, N failed, N skipped".
# Sets status, and line to that one with the time behind it.
run_suite() {
	local log=$log_dir/check-$1.log name=$1 started=$SECONDS
	shift
	status=0
	"$@" >"$log" 2>&1 || status=$?
	sed "s/^/$name| /" "$log"
	line=$(grep -E '^[^:]+: [0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1 || true)
	line=${line:+$name:${line##*:} ($((SECONDS - started)) s)}
}

# suite NAME COMMAND...: no result, or a bad exit status without a failed test, is a failure.
suite() {
	local status line
	run_suite "$@"
	if [ -z "$line" ] || { [ "$status" != 0 ] && [[ $line == *' 0 failed'* ]]; }; then
		line="$1: 0 passed, 1 failed, 0 skipped"
	fi
	echo "$line" >>"$counts"
	say "$line"
	[[ $line == *' 0 failed'* ]] || failed_tests "$1" >>"$failures"
}

# failed_tests NAME: what a suite said of those; where it says nothing, its last lines
failed_tests() {
	local log=$log_dir/check-$1.log
	echo "$1, in build/log/check-$1.log:"
	grep -E -A 6 '^ +FAIL |\[  FAILED  \]' "$log" || tail -n 20 "$log"
}

# stock_suite LANE: what counts is that each test of a defect fails there.
stock_suite() {
	local status line
	run_suite "stock-$1" selftests/qemu/stock-compare.sh "$1"
	[ -z "$line" ] || echo "$line" >>"$stock_counts"
	step "stock driver on $1" [ "$status" = 0 ]
}

# in_parallel FUNCTION ARGUMENT...: three at a time, for a guest waits for a third of its time: so two
# CPUs are busy
running=0
in_parallel() {
	[ "$running" -lt 3 ] || wait -n
	"$@" &
	running=$((running + 1))
}

# ways_of LANE: how our module can be run there: on PowerNV with tables of its own or the kernel's,
# in a partition with a hypervisor that writes many TCEs with one call or, on one kernel, not
ways_of() {
	case $1 in
	powernv*) echo ours kernel-tables ;;
	*-6.12) echo ours single-tce ;;
	*) echo ours ;;
	esac
}

# programs_of WAY: the programs that run in that way; nothing: all. Without multi-TCE calls it takes
# seconds whenever a group comes or goes: the kernel, and we when we borrow its window, empty the
# whole of it entry by entry, and cycles of that do not end in their time.
programs_of() {
	case $1 in
	single-tce) echo test_borrowed test_hcalls test_map test_v1 ;;
	esac
}

kernels_of_lanes() {
	local lane
	for lane in "${lanes[@]}"; do
		# The machine ends where a dash is followed by a digit.
		echo "${lane#"${lane%%-[0-9]*}"-}"
	done | sort -u
}

cd "$repo"
step "kernel checks" selftests/build/test-check-kernel.sh
step "version, man page" selftests/build/test-version.sh
for kernel in $(kernels_of_lanes); do
	step "module for $kernel, audit" make --no-print-directory module KERNEL="$kernel"
done
step "audit of what is broken" selftests/build/test-audit.sh
step "sparse" make --no-print-directory sparse
step "lint" make --no-print-directory lint
make --no-print-directory target-tests kvm-programs guest-qemu

suite host make --no-print-directory check-host

# The longest first.
in_parallel suite kvm-tcg selftests/kvm/run.sh kvm-tcg
for lane in "${stock_lanes[@]}"; do
	in_parallel stock_suite "$lane"
done
for lane in "${lanes[@]}"; do
	for way in $(ways_of "$lane"); do
		# shellcheck disable=SC2046 # a list
		in_parallel suite "$lane-$way" selftests/qemu/run-lane.sh "$lane" "--$way" \
			$(programs_of "$way")
	done
done
in_parallel suite kvm selftests/kvm/run.sh kvm
in_parallel suite kvm-variants selftests/kvm/run.sh kvm-variants
wait

echo
awk '
	BEGIN {
		printf "%-28s %7s %7s %8s %8s   %s\n", "suite", "passed", "failed", "skipped",
			"time", "stock driver: passed/failed/skipped"
	}
	{ sub(/:$/, "", $1) }
	FILENAME == ARGV[1] {
		sub(/^stock-/, "", $1)
		stock[$1 "-ours"] = $2 "/" $4 "/" $6
		next
	}
	$1 != "build" {
		printf "%-28s %7d %7d %8d %8s   %s\n", $1, $2, $4, $6, substr($8, 2) " s", stock[$1]
	}' "$stock_counts" "$counts"
echo
if [ -s "$failures" ]; then
	echo "failed:"
	sed 's/^/    /' "$failures"
	echo
fi
awk '{ passed += $2; failed += $4; skipped += $6 }
     END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0 || passed == 0
     }' "$counts"

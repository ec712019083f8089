#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests: the suites that selftests/lanes has for `make check` or for `make check-all`, the build with
# its audit for every kernel of these, sparse and style. Suites run beside each other.
#
# At the end: a table of the suites, with the stock driver beside ours, what failed in which suite,
# and a last line that adds up the counts. A stock driver's failures are its own and are not counted.
#
# usage: check.sh check|check-all
#
# With DRY=1 it only says which suites there would be, and how many seconds each took the last time.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

case ${1-} in
check | check-all) set=$1 ;;
*) usage_error "$self.sh check|check-all" ;;
esac
counts=$log_dir/check.counts
stock_counts=$log_dir/check.stock
failures=$log_dir/check.failures
# The seconds that the last run took.
last=$log_dir/$set.last

# --- suites ---------------------------------------------------------------------------------------

# suites: those of this run, as they are in the table
suites() {
	awk -v set="$set" '
		$1 == set || $1 == "both" {
			$1 = ""
			print substr($0, 2)
		}' "$repo/selftests/lanes"
}

# named_programs NAME...: a line for each, with the core programs in place of `core`
named_programs() {
	awk -v names="$*" '
		$1 == "core-programs" { for (i = 2; i <= NF; i++) core = core $i "\n" }
		END {
			n = split(names, name, " ")
			for (i = 1; i <= n; i++)
				printf "%s", name[i] == "core" ? core : name[i] "\n"
		}' "$repo/selftests/lanes"
}

# kernels_of_list: those that the suites of this run are for
kernels_of_list() {
	local kernel
	for kernel in $(kernels); do
		[[ " ${list[*]} " != *-"$kernel "* ]] || echo "$kernel"
	done
}

# name_of KIND [ARGUMENT...]
name_of() {
	case $1 in
	host) [[ $* != *THREADS=yes* ]] && echo host || echo host-threads ;;
	seeded-defects | litmus) echo "$1" ;;
	install) echo "install-$2" ;;
	lane) echo "$2-$3$([ "${4-}" != core ] || echo -core)" ;;
	stock | control | dpdk | tracers | type1 | qemu-img | qemu-pc) echo "$1-$2${3:+-$3}" ;;
	kvm) echo "$2" ;;
	esac
}

# run_suite KIND [ARGUMENT...]
run_suite() {
	local name programs
	name=$(name_of "$@")
	case $1 in
	host) suite "$name" make --no-print-directory check-host "${@:2}" ;;
	seeded-defects) suite "$name" selftests/host/seeded-defects.sh "$build/seeded-defects" ;;
	litmus) suite "$name" make --no-print-directory check-litmus ;;
	install) selftests/install/make-root.sh "$2" || true
		suite "$name" selftests/install/run.sh "$2" ;;
	lane) mapfile -t programs < <(named_programs "${@:4}")
		# What is a matter of time only is left to the lanes for that.
		case "$3 ${4-}" in
		stress* | model*) export AGAIN_FOR=900 ;;
		*' long') programs=() ;;
		*) export BRIEF=1 ;;
		esac
		suite "$name" selftests/qemu/run-lane.sh "$2" "--$3" "${programs[@]}" ;;
	stock) stock_suite "$name" "$2" ${3:+"--$3"} ;;
	control) suite "$name" selftests/qemu/control.sh "$2" ;;
	kvm) suite "$name" selftests/kvm/run.sh "$2" ;;
	dpdk | tracers | type1 | qemu-img | qemu-pc) suite "$name" "selftests/$1/run.sh" "$2" ;;
	*) step "selftests/lanes has no suites of the kind $1" false ;;
	esac
}

# run NAME COMMAND...: a test program whose last line is "...: N passed, N failed, N skipped".
# Sets status, and line to that one with the time behind it.
run() {
	local log=$log_dir/check-$1.log name=$1 started=$SECONDS
	shift
	status=0
	"$@" 2>&1 | tee "$log" | sed -u "s/^/$name| /" || status=$?
	line=$(grep -E '^[^:]+: [0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1 || true)
	line=${line:+$name:${line##*:} ($((SECONDS - started)) s)}
	echo "$((SECONDS - started))" >"$log_dir/check-$name.last"
}

# suite NAME COMMAND...: no result, or a bad exit status without a failed test, is a failure.
suite() {
	local status line
	run "$@"
	if [ -z "$line" ] || { [ "$status" != 0 ] && [[ $line == *' 0 failed'* ]]; }; then
		line="$1: 0 passed, 1 failed, 0 skipped"
	fi
	echo "$line" >>"$counts"
	[[ $line == *' 0 failed'* ]] || failed_tests "$1" >>"$failures"
	say "$line; $(progress)"
}

# stock_suite NAME LANE [--defects]: what counts is that each test of a defect fails there.
stock_suite() {
	local status line
	run "$1" selftests/qemu/stock-compare.sh "${@:2}"
	[ -z "$line" ] || echo "$line" >>"$stock_counts"
	step "stock driver on $2" [ "$status" = 0 ]
}

# failed_tests NAME: what a suite said of those; where it says nothing, its last lines
failed_tests() {
	local log=$log_dir/check-$1.log
	echo "$1, in build/log/check-$1.log:"
	grep -E -A 6 '^ +FAIL |\[  FAILED  \]|^not ok [a-z]' "$log" || tail -n 20 "$log"
}

# step NAME COMMAND...: one test of the build.
step() {
	local name=$1 started=$SECONDS
	shift
	if "$@"; then
		echo "build: 1 passed, 0 failed, 0 skipped" >>"$counts"
		say "$name: ok ($((SECONDS - started)) s); $(progress)"
	else
		echo "build: 0 passed, 1 failed, 0 skipped" >>"$counts"
		say "$name: FAILED"
		echo "$name" >>"$failures"
	fi
}

# progress: how far the whole is
progress() {
	local left=''
	[ ! -s "$last" ] || left=", $((($(cat "$last") - SECONDS) / 60)) min left by the last run"
	local all=$((7 + $(kernels_of_list | wc -l) + ${#list[@]}))
	echo "$(wc -l <"$counts") of $all done, $((SECONDS / 60)) min gone$left"
}

# in_parallel FUNCTION ARGUMENT...: two at a time for each CPU, for a guest waits for half of its time:
# so all CPUs are busy
jobs_at_most=$(($(nproc) * 2))
running=0
in_parallel() {
	[ "$running" -lt "$jobs_at_most" ] || wait -n
	"$@" &
	running=$((running + 1))
}

# start PATTERN: the suites that it matches
start() {
	local suite
	for suite in "${list[@]}"; do
		# shellcheck disable=SC2053,SC2086 # a pattern, a list
		[[ $suite != $1 ]] || in_parallel run_suite $suite
	done
}

# prepare KIND TARGET...: makes these, if there are suites of that kind, which fail without them
prepare() {
	[[ "${list[*]}" != *"$1 "* ]] || make --no-print-directory "${@:2}" || true
}

# --- what runs ------------------------------------------------------------------------------------

if [ -n "${DRY-}" ]; then
	# shellcheck disable=SC2086 # a list
	suites | while read -r suite; do
		name=$(name_of $suite)
		printf '%-36s %6s s\n' "$name" "$(cat "$log_dir/check-$name.last" 2>/dev/null || echo '?')"
	done
	exit
fi

cd "$repo"
mapfile -t list < <(suites)
: >"$counts"
: >"$failures"
: >"$stock_counts"
say "limits are longer by a factor of $(selftests/qemu/slowness.sh) now; each boot measures it again"
step "kernel checks" selftests/build/test-check-kernel.sh
step "pairs of machines, kernels and tables" selftests/build/test-lanes.sh
step "defects and what shows them" selftests/build/test-defects.sh
# All packages at once: what would install them goes on beside others.
scripts/host-packages.sh build qemu qemu-build lint docs host-tests
start 'host*'
# QEMU's source is waited for and built beside what else is waited for. If it fails, it is tried again below.
in_parallel prepare lane lane-qemu
for kernel in $(kernels_of_list); do
	step "module for $kernel, audit" make --no-print-directory module KERNEL="$kernel"
done
step "audit of what is broken" selftests/build/test-audit.sh
step "order of the floors" selftests/build/test-floors.sh
step "sparse" make --no-print-directory sparse
make --no-print-directory target-tests kvm-programs guest-qemu lane-qemu
prepare dpdk guest-dpdk
prepare tracers demo-program guest-bpftrace guest-perf guest-trace-cmd
prepare type1 type1-programs
prepare qemu-img guest-qemu-img
prepare qemu-pc guest-qemu-pc
prepare install deb dist emulator
in_parallel step "lint" make --no-print-directory lint
start '!(host*)'
wait
echo "$SECONDS" >"$last"

echo
awk '
	BEGIN {
		printf "%-36s %7s %7s %8s %8s   %s\n", "suite", "passed", "failed", "skipped",
			"time", "stock driver: passed/failed/skipped"
	}
	{ sub(/:$/, "", $1) }
	FILENAME == ARGV[1] {
		gsub(/^stock-|-defects$/, "", $1)
		stock[$1 "-ours"] = $2 "/" $4 "/" $6
		next
	}
	$1 != "build" {
		printf "%-36s %7d %7d %8d %8s   %s\n", $1, $2, $4, $6, substr($8, 2) " s", stock[$1]
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

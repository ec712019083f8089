#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests: the suites that selftests/lanes has for `make check`, the build with its audit for every kernel
# of these, sparse and style; for `make check-all` the same, and then what selftests/lanes has for that.
# Suites run beside each other.
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
check) parts=(check) ;;
check-all) parts=(check check-all) ;;
*) usage_error "$self.sh check|check-all" ;;
esac
counts=$log_dir/check.counts
stock_counts=$log_dir/check.stock
failures=$log_dir/check.failures
# The seconds that the last run took.
last=$log_dir/$1.last

# --- suites ---------------------------------------------------------------------------------------

# suites PART...: those of each part, as they are in the table
suites() {
	local part
	for part; do
		awk -v part="$part" '
			$1 == part {
				$1 = ""
				print substr($0, 2)
			}' "$repo/selftests/lanes"
	done
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

# kernels_of SUITE...: those that these suites are for
kernels_of() {
	local kernel
	for kernel in $(kernels); do
		[[ " $* " != *-"$kernel "* ]] || echo "$kernel"
	done
}

# name_of KIND [ARGUMENT...]
name_of() {
	case $1 in
	host)
		case $* in
		*THREADS=yes*) echo host-threads ;;
		*=clang*) echo host-clang ;;
		*) echo host ;;
		esac
		;;
	seeded-defects | litmus) echo "$1" ;;
	install) echo "install-$2" ;;
	lane)
		case ${4-} in
		'' | core | long) echo "$2-$3${4:+-$4}" ;;
		*) echo "$2-$3-some" ;;
		esac
		;;
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
		stress* | model*) export AGAIN_FOR=600 ;;
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
	echo "$(wc -l <"$counts") of $steps done, $((SECONDS / 60)) min gone$left"
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

# start PATTERN SUITE...: those that it matches
start() {
	local suite
	for suite in "${@:2}"; do
		# shellcheck disable=SC2053,SC2086 # a pattern, a list
		[[ $suite != $1 ]] || in_parallel run_suite $suite
	done
}

# prepare KIND TARGET...: makes these, if there are suites of that kind now, which fail without them
prepare() {
	[[ "${now[*]}" != *"$1 "* ]] || make --no-print-directory "${@:2}" || true
}

# build_modules: for the kernels of the suites that run now, but for those that have one
build_modules() {
	local kernel
	for kernel in $(kernels_of "${now[@]}"); do
		[[ " ${built[*]} " != *" $kernel "* ]] || continue
		step "module for $kernel, audit" make --no-print-directory module KERNEL="$kernel"
		built+=("$kernel")
	done
}

# run_suites: those of now
run_suites() {
	make --no-print-directory target-tests kvm-programs guest-qemu lane-qemu
	prepare dpdk guest-dpdk
	prepare tracers demo-program guest-bpftrace guest-perf guest-trace-cmd
	prepare type1 type1-programs
	prepare qemu-img guest-qemu-img
	prepare qemu-pc guest-qemu-pc
	prepare install deb dist emulator
	start '!(host*)' "${now[@]}"
	wait
	running=0
}

# --- what runs ------------------------------------------------------------------------------------

if [ -n "${DRY-}" ]; then
	# shellcheck disable=SC2086 # a list
	suites "${parts[@]}" | while read -r suite; do
		name=$(name_of $suite)
		printf '%-36s %6s s\n' "$name" "$(cat "$log_dir/check-$name.last" 2>/dev/null || echo '?')"
	done
	exit
fi

cd "$repo"
mapfile -t now < <(suites "${parts[@]}")
steps=$((7 + $(kernels_of "${now[@]}" | wc -l) + ${#now[@]}))
built=()
: >"$counts"
: >"$failures"
: >"$stock_counts"
say "limits are longer by a factor of $(selftests/qemu/slowness.sh) now; each boot measures it again"
step "kernel checks" selftests/build/test-check-kernel.sh
step "pairs of machines, kernels and tables" selftests/build/test-lanes.sh
step "defects and what shows them" selftests/build/test-defects.sh

mapfile -t now < <(suites check)
# All packages at once: what would install them goes on beside others.
scripts/host-packages.sh build qemu qemu-build lint docs host-tests
start 'host*' "${now[@]}"
# QEMU's source is waited for and built beside what else is waited for. If it fails, it is tried again below.
in_parallel prepare lane lane-qemu
build_modules
step "audit of what is broken" selftests/build/test-audit.sh
step "order of the floors" selftests/build/test-floors.sh
step "sparse" make --no-print-directory sparse
in_parallel step "lint" make --no-print-directory lint
run_suites
echo "$SECONDS" >"$log_dir/check.last"
if [ "${#parts[@]}" = 2 ]; then
	say "that was make check, in $((SECONDS / 60)) min; what follows is what make check-all adds"
	mapfile -t now < <(suites check-all)
	start 'host*' "${now[@]}"
	build_modules
	run_suites
fi
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

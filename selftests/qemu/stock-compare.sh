#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the test programs in one lane with the kernel's own module and prints
# which tests it fails. Fails itself if a test that is named after a defect of
# the stock driver ("d3_...") passes there: such a test shows nothing.
#
# With --defects it runs these tests only; and of programs whose tests take a boot each,
# those that selftests/defects names.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

# how_to_run PROGRAM: together with others, or alone, each test in a boot of its own, where the
# stock driver can take the kernel down or hang in it. Or not: what takes the kernel down on PowerNV
# is the same code in a partition.
how_to_run() {
	case $machine,$1 in
	pseries*,*_hcalls) echo alone ;;
	pseries*,*_race | pseries*,*_stress | pseries*,*_destructive | pseries*,*_little_memory) echo not ;;
	# Enough of these fail together.
	*,*_kvm_race | *,*_kvm_stress) echo together ;;
	*,*_race | *,*_stress | *,*_destructive | *,*_hotplug | *,*_little_memory) echo alone ;;
	*) echo together ;;
	esac
}

# Defects known from reading the stock driver only: a test of these may pass.
read_only='d9_|d10_|d14_'

case $#,${2-} in
1,) defects='' ;;
2,--defects) defects=yes ;;
*) usage_error "$self.sh LANE [--defects]" ;;
esac
open_lane "$1"
module=$(module_file stock)

name=stock-compare-$lane
rm -f "$log_dir/$name".*
boots=0

# boot PROGRAM...: a boot of these programs, and, if the kernel goes down in one
# of them, further boots of those after it.
boot() {
	local last
	while [ $# -gt 0 ]; do
		boots=$((boots + 1))
		boot_lane "$name.$boots" "$module" "$@"
		[ "$ending" != 0 ] || return 0
		last=$(sed -n 's/^guest: begin //p' "$log_dir/$name.$boots.log" | tail -n 1)
		[ -n "$last" ] || die "no test began; the console is in build/log/$name.$boots.log"
		say "the guest went down in $last"
		while [ "$1" != "$last" ]; do
			shift
		done
		shift
		# What comes in a later boot is not lost.
		[ $# -gt 0 ] || return 0
		grep -vE "^lost ($(tr ' ' '|' <<<"$*")) " "$log_dir/$name.$boots.results" \
			>"$log_dir/$name.kept" || true
		mv "$log_dir/$name.kept" "$log_dir/$name.$boots.results"
	done
}

# tests_of PROGRAM: the names of its tests
tests_of() {
	sed -n 's/^TEST\(_F\)*(\(.*, \)*\([a-z0-9_]*\)).*/\3/p' "$repo/selftests/vfio/$1.c"
}

# tests_alone PROGRAM: those that get a boot each
tests_alone() {
	if [ -n "$defects" ]; then
		awk -v program="$1" '$3 == program { print $4 }' "$repo/selftests/defects"
	else
		tests_of "$1"
	fi
}

together=()
alone=()
of_defect='d[0-9]+_'
[ -z "$defects" ] || parameters='only=d[0-9]*_*'
for program in $(all_programs); do
	[ -z "$defects" ] || tests_of "$program" | grep -qE "^$of_defect" || continue
	case $(how_to_run "$program") in
	together) together+=("$program") ;;
	alone) alone+=("$program") ;;
	not) say "not on partitions: $program" ;;
	esac
done
boot "${together[@]}"
# For one test.
silence=100
for program in "${alone[@]}"; do
	for test in $(tests_alone "$program"); do
		boots=$((boots + 1))
		boot_stock_test "$name.$boots" "$program" "$test"
	done
done

cat "$log_dir/$name".*.results | grep -v '^	' | sort -u |
	grep -E "^[a-z]+ [^ ]+ ([^ ]*[.])?${defects:+$of_defect}" >"$log_dir/$name.results"
awk -v lane="$lane" -v read_only="(^|[.])($read_only)" '
	function reason() {
		sub(/^[^ ]+ [^ ]+ [^ ]+ ?/, "")
		return $0 == "" ? "" : ": " $0
	}
	{ n[$1]++; program = $2; name = $3; defect = name ~ /(^|[.])d[0-9]+_/ }
	$1 == "fail" { fails[++n_fails] = program ": " name reason() }
	$1 == "lost" { losts[++n_losts] = program ": " name }
	$1 == "skip" { skips[++n_skips] = program ": " name reason() }
	$1 == "pass" && defect {
		if (name ~ read_only)
			reads[++n_reads] = program ": " name
		else
			wrongs[++n_wrongs] = program ": " name
	}
	function list(title, items, count, i) {
		if (count)
			print title
		for (i = 1; i <= count; i++)
			print "    " items[i]
	}
	END {
		list("skipped:", skips, n_skips)
		list("not reached, because the stock driver took the kernel down:", losts, n_losts)
		list("tests of defects known from reading only, passed:", reads, n_reads)
		list("the stock driver fails:", fails, n_fails)
		list("WRONG, named after a defect but passed on the stock driver:", wrongs, n_wrongs)
		printf "%s with the stock driver: %d passed, %d failed, %d skipped, %d not reached\n",
			lane, n["pass"], n_fails, n_skips, n_losts
		exit n_wrongs > 0
	}' "$log_dir/$name.results"

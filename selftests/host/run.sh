#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh <output directory> <build command...>: builds, runs the tests of all $PROGRAMS, with the
# driver's own tables and with those of the kernel's platform code, then a number of random sequences of
# calls, $FUZZ_RUNS. The last line counts the results; what breaks off counts as a failure.
set -u

output=$1
shift
passed=0
failed=0
skipped=0

finish()
{
	echo "host: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

# run_tests <program>
run_tests()
{
	report=${1%/*}/report-$HOST_TABLES.xml
	rm -f "$report"
	ending=0
	"$1" --gtest_brief=1 --gtest_output=xml:"$report" || ending=$?
	if ! [ -s "$report" ]; then
		echo "${1#"$output"/} broke off"
		failed=$((failed + 1))
		return
	fi
	# A sanitizer that only warns says so in its exit status.
	if [ "$ending" -gt 1 ]; then
		echo "${1#"$output"/} ended with status $ending"
		failed=$((failed + 1))
	fi

	run=$(grep -c '<testcase .*status="run"' "$report")
	bad=$(sed -n 's/^<testsuites .* failures="\([0-9]*\)".*/\1/p' "$report")
	left_out=$(grep -c '<testcase .*result="skipped"' "$report")
	passed=$((passed + run - bad - left_out))
	failed=$((failed + bad))
	skipped=$((skipped + left_out))
}

# run_fuzzer <program>: what it finds new goes elsewhere than to corpus/.
run_fuzzer()
{
	directory=${1%/*}
	rm -rf "$directory/found"
	mkdir -p "$directory/found"
	if "$1" -seed=1 -runs="${FUZZ_RUNS-20000}" -max_len=256 -len_control=0 -entropic=0 \
		-artifact_prefix="$directory/" "$directory/found" "${0%/*}/corpus" \
		>"$directory/log" 2>&1; then
		passed=$((passed + 1))
	else
		grep -vE '^ +#[0-9]|NEW|REDUCE' "$directory/log" | tail -n 80
		failed=$((failed + 1))
	fi
}

if ! "$@"; then
	failed=1
	finish
fi

for HOST_TABLES in own kernel; do
	export HOST_TABLES
	for program in $PROGRAMS; do
		echo "  RUN     ${program#"$output"/} ($HOST_TABLES tables)"
		run_tests "$program"
	done
done
if [ "${FUZZ_RUNS-}" != 0 ]; then
	echo "  RUN     fuzz/fuzz_ioctl"
	run_fuzzer "$output/fuzz/fuzz_ioctl"
fi
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.sh <output directory>: which lines and branches of drivers/ and arch/ the tests on the host and
# the corpus of random calls reach. Prints a table, then what is not reached, and fails below
# $least_lines and $least_branches percent.
set -eu

output=$1
source=${0%/*}
least_lines=98
least_branches=90

# The same sources with pages of 4K and of 64K, both by Clang.
make --no-print-directory -j"$(nproc)" -C "$source" OUTPUT="$output" GXX=clang++ \
	VARIANTS='clang gcc-64k' SANITIZE= \
	COVERAGE='-fprofile-instr-generate -fcoverage-mapping' all

rm -f "$output"/*.profraw
for tables in own kernel; do
	for variant in clang gcc-64k; do
		HOST_TABLES=$tables LLVM_PROFILE_FILE=$output/$variant-$tables.profraw \
			"$output/$variant/host_tests" --gtest_brief=1
	done
done
LLVM_PROFILE_FILE=$output/corpus.profraw "$output/fuzz/fuzz_ioctl" -runs=0 "$source/corpus" \
	>"$output/corpus.log" 2>&1
llvm-profdata merge -o "$output/all.profdata" "$output"/*.profraw

# look <report|show> [option...]
look()
{
	what=$1
	shift
	llvm-cov "$what" -instr-profile="$output/all.profdata" "$output/clang/host_tests" \
		-object "$output/gcc-64k/host_tests" -object "$output/fuzz/fuzz_ioctl" \
		-ignore-filename-regex='selftests/|include/|/usr/|kernel/|build/' "$@"
}

look report -show-region-summary=false >"$output/report"
look show -show-branches=count -show-instantiations=false >"$output/show"

echo 'Lines that are not reached:'
awk -F'|' '
	/^\/.*:$/ { file = $0 }
	$2 ~ /^ *0$/ { print file substr($1, 1) ":" $3 }
' "$output/show" | sed "s|^$(realpath "$source/../..")/||"
echo
sed "s|$(realpath "$source/../..")/||" "$output/report"

awk -v lines="$least_lines" -v branches="$least_branches" '
	$1 == "TOTAL" {
		found = 1
		printf "%s of lines (at least %d%%), %s of branches (at least %d%%)\n",
			$7, lines, $10, branches
		exit !($7 + 0 >= lines && $10 + 0 >= branches)
	}
	END { if (!found) exit 1 }
' "$output/report"

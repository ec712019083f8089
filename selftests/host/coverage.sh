#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.sh <output directory>: which lines and branches of drivers/ and arch/ the tests on the host
# reach, with the corpus of random calls. Prints a table, with the numbers of the lines that are not
# reached, and fails below $least_lines and $least_branches percent. By GCC: Clang's coverage has the line
# that follows a TRY() as one that is never reached.
set -eu

output=$(realpath -m "$1")
source=$(realpath "${0%/*}")
least_lines=98
least_branches=90

# The same sources with pages of 4K and of 64K.
make --no-print-directory -j"$(nproc)" -C "$source" OUTPUT="$output" VARIANTS='gcc gcc-64k' FUZZ_RUNS=0 \
	SANITIZE= COVERAGE='--coverage -O0' all

find "$output" -name '*.gcda' -delete
for tables in own kernel; do
	for variant in gcc gcc-64k; do
		HOST_TABLES=$tables "$output/$variant/host_tests" --gtest_brief=1 >"$output/$variant-$tables.log" || {
			tail "$output/$variant-$tables.log"
			exit 1
		}
	done
done

# look [option...]
look()
{
	gcovr --root "$source/../.." --filter '(drivers|arch)/' --exclude-throw-branches \
		--exclude-unreachable-branches "$@" "$output"
}

look --branches
look --print-summary --fail-under-line "$least_lines" --fail-under-branch "$least_branches"

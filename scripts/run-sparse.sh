#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs sparse over the C glue with the flags of the kernel's build. Fails on any report about a
# file of ours, and when sparse did not run at all.
#
# usage: run-sparse.sh OUT KBUILD...   (OUT: the module's build directory, KBUILD: the command)

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ $# -gt 1 ] || usage_error "$self.sh OUT KBUILD..."
out=$1
shift
log=$log_dir/sparse.log

if ! "$@" C=2 CHECK=sparse modules >"$log" 2>&1; then
	tail -n 15 "$log" >&2
	die "the build failed; the log is ${log#"$repo/"}"
fi
checked=$(grep -c '^  CHECK ' "$log" || true)
[ "$checked" -gt 0 ] || die "sparse did not run on any file; the log is ${log#"$repo/"}"

if reports=$(grep -E "^($repo|$out)/[^:]*:[0-9]+:" "$log"); then
	printf '%s\n' "$reports"
	die "$(wc -l <<<"$reports") reports"
fi
say "$checked files, no report"

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by all scripts: source it first. It sets the shell's options and
# gives the paths, the kernels, and the four ways to talk to the person at the terminal.

set -eu -o pipefail
export LC_ALL=C

self=$(basename "$0" .sh)
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$repo/build
log_dir=$build/log
mkdir -p "$log_dir"
rm -f "$log_dir/$self.log"

# kernels: the names of those that the tests run on
kernels() {
	awk '$1 == "kernel" { print $2 }' "$repo/selftests/lanes"
}

# is_built_here KERNEL: by build-kernel.sh, for what it finds
is_built_here() {
	awk -v kernel="$1" '$1 == "kernel" && $2 == kernel { built = $3 ~ /^source-/ } END { exit !built }' \
		"$repo/selftests/lanes"
}

say() {
	printf '%s: %s\n' "$self" "$*"
}

die() {
	printf '%s: %s\n' "$self" "$*" >&2
	exit 1
}

# usage_error TEXT: the command line was wrong
usage_error() {
	printf 'usage: %s\n' "$*" >&2
	exit 2
}

# quietly COMMAND...: runs a command with its output in this script's log, and
# shows the end of the log if it fails.
quietly() {
	local log=$log_dir/$self.log status=0
	printf '\n$ %s\n' "$*" >>"$log"
	"$@" >>"$log" 2>&1 </dev/null || status=$?
	[ "$status" = 0 ] && return 0
	{
		printf '%s: failed (status %s): %s\n' "$self" "$status" "$*"
		tail -n 15 "$log" | sed 's/^/    /'
		printf '%s: the whole log is %s\n' "$self" "$log"
	} >&2
	return "$status"
}

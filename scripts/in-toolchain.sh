#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs a command with the tools that a kernel wants: in build/toolchain, where the
# source tree is at the same path as outside, or just here. The mounts are in a
# namespace of the command's own: they are gone when it ends, however it ends.
#
# usage: in-toolchain.sh KERNEL COMMAND...

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# -gt 1 ] || usage_error "$self.sh KERNEL COMMAND..."
debian_check
if [ -z "$(kernel_toolchain "$1")" ]; then
	exec "${@:2}"
fi
root=$build/toolchain
[ -e "$root/stamp" ] || die "no toolchain: run scripts/fetch-toolchain.sh $1"
mkdir -p "$root$repo"
# shellcheck disable=SC2016 # for the inner shell
exec unshare --mount --propagation private sh -eu -c '
	root=$1 repo=$2
	shift 2
	mount --bind "$repo" "$root$repo"
	mount --bind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	exec chroot "$root" "$@"' sh "$root" "$repo" "${@:2}"

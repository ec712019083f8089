#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packs an initramfs: busybox, the given init script, and files. A FILE goes to
# the directory DIR of the guest. It is not compressed: an emulated CPU takes seconds to unpack it.
# BUSYBOX is one for another processor than the lanes have.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage="$self.sh OUTPUT INIT [DIR:FILE...]"
[ $# -ge 2 ] || usage_error "$usage"
output=$1
init=$2
shift 2

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$(dirname "$output")"
install -m 755 "${BUSYBOX-$build/target/busybox}" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
install -m 755 "$init" "$root/init"
for file; do
	mkdir -p "$root/${file%%:*}"
	install -m 755 "${file#*:}" "$root/${file%%:*}/"
done
(cd "$root" && find . -mindepth 1 | cpio -o -H newc -R 0:0 --quiet) >"$output"

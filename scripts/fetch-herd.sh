#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches herd7, which says what a memory model allows, to build/herd, and the kernel's model, which is
# in its source, to build/herd/memory-model. herd7 is in Debian's unstable alone, and so comes with the
# libraries that it was linked to. Nothing is installed. Does nothing when it is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 0 ] || usage_error "$self.sh"
herd=$build/herd
[ -e "$herd" ] && exit 0
# The one whose source has the model.
kernel=7.2

resolve() {
	local package version
	for package in herdtools7 libc6 libgmp10; do
		version=$(versions "$root" "$package:$host_arch" '' | head -n 1)
		[ -n "$version" ] || return 1
		echo "$package:$host_arch=$version"
	done
}

# unpack PACKAGE PATH...: these paths of a package
unpack() {
	dpkg --fsys-tarfile "$(deb_file "$debs" "$1")" | tar -x -C "$herd.new" --wildcards "${@:2}"
}

debian_check
root=herd
debs=$build/herd.debs
apt_lock
[ -e "$herd" ] && exit 0
apt_foreign "$root" "$host_arch" "$(debian_suite herd)"
fetch_debs "$root" "$debs" resolve
rm -rf "$herd.new"
mkdir -p "$herd.new/memory-model"
unpack herdtools7 ./usr/bin/herd7 ./usr/share/herdtools7/herd
unpack libc6 './usr/lib/*/ld-linux*' './usr/lib/*/libc.so*' './usr/lib/*/libm.so*'
unpack libgmp10 './usr/lib/*/libgmp.so*'
rm -r "$debs"
fetch_source "$kernel" "$debs"
unpack_source "$debs" -C "$herd.new/memory-model" --strip-components=3 \
	'linux-source-*/tools/memory-model/linux-kernel.*' 'linux-source-*/tools/memory-model/lock.cat'
rm -r "$debs"
mv "$herd.new" "$herd"

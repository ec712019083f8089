#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches QEMU's user emulation of ppc64el, a static program, to build/target/qemu-ppc64le. Nothing
# is installed. Does nothing when it is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 0 ] || usage_error "$self.sh"
target=$build/target/qemu-ppc64le
[ -e "$target" ] && exit 0

resolve() {
	local version
	version=$(versions "$root" "qemu-user:$host_arch" '' | head -n 1)
	[ -n "$version" ] && echo "qemu-user:$host_arch=$version"
}

debian_check
root=qemu-user
debs=$build/target/qemu-user.debs
apt_lock
[ -e "$target" ] && exit 0
apt_foreign "$root" "$host_arch" "$(debian_suite qemu)"
fetch_debs "$root" "$debs" resolve

deb=$(deb_file "$debs" qemu-user)
dpkg --fsys-tarfile "$deb" | tar -xO ./usr/bin/qemu-ppc64le >"$target.new"
[ -s "$target.new" ] || die "no qemu-ppc64le in ${deb##*/}"
chmod +x "$target.new"
mv "$target.new" "$target"
rm -r "$debs"

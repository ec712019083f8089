#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches Debian's static busybox for ppc64el to build/target/busybox: the
# userland of the guests. Does nothing when it is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 0 ] || usage_error "$self.sh"
target=$build/target/busybox
[ -e "$target" ] && exit 0

resolve() {
	local version
	version=$(versions "$root" busybox-static:ppc64el '' | head -n 1)
	[ -n "$version" ] && echo "busybox-static:ppc64el=$version"
}

debian_check
root=busybox
debs=$build/target/debs
apt_lock
[ -e "$target" ] && exit 0
apt_foreign "$root" ppc64el "$(debian_suite plain)"
fetch_debs "$root" "$debs" resolve

deb=$(deb_file "$debs" busybox-static)
dpkg --fsys-tarfile "$deb" | tar -xO --wildcards './*bin/busybox' >"$target.new"
[ -s "$target.new" ] || die "no busybox in ${deb##*/}"
chmod +x "$target.new"
mv "$target.new" "$target"
rm -r "$debs"

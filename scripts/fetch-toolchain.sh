#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Some kernels want a newer compiler than this release of Debian has, and their
# kbuild programs newer libraries: makes build/toolchain, the root of a minimal
# system of the next release with both, and with what builds a whole kernel.
# Does nothing when it is there already, or when KERNEL does not need it.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 1 ] || usage_error "$self.sh KERNEL"
debian_check
[ -n "$(kernel_toolchain "$1")" ] || exit 0
root=$build/toolchain
packages="make g++-14-powerpc64le-linux-gnu libelf1t64 libssl3t64 zlib1g bc kmod xz-utils pahole \
$(debian_packages kernel)"
# The stamp names the packages, so that a chroot from before one was added is found out.
is_there() {
	[ "$(cat "$root/stamp" 2>/dev/null)" = "$packages" ]
}
is_there && exit 0

"$repo/scripts/host-packages.sh" toolchain
[ "$(id -u)" = 0 ] || die "root is needed to make ${root#"$repo/"}"
apt_lock
is_there && exit 0
suite=$(debian_suite toolchain)
uri=$(debian_repositories | sed -n "s/ $codename\$//p" | head -n 1)

say "making a minimal system of Debian $suite for its compiler"
for try in 1 2 3; do
	rm -rf "$root.new"
	if quietly mmdebstrap --variant=essential --include="${packages// /,}" \
		--aptopt="$(machine_proxies)" --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$root.new" "$(apt_source "$host_arch" "$suite" "$uri")"; then
		# The names without a version are what kbuild calls.
		for tool in gcc g++ cpp; do
			ln -sf "powerpc64le-linux-gnu-$tool-14" "$root.new/usr/bin/powerpc64le-linux-gnu-$tool"
		done
		rm -rf "$root"
		mv "$root.new" "$root"
		echo "$packages" >"$root/stamp"
		say "it is in ${root#"$repo/"}, $(du -sm "$root" | cut -f 1) MB"
		exit 0
	fi
	say "that failed (try $try of 3)"
	sleep 5
done
die "cannot make ${root#"$repo/"}; see $log_dir/$self.log"

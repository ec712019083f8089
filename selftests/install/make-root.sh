#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes build/install/RELEASE, the root of a Debian system for ppc64el as someone has it who gets
# our sources: a kernel with its headers, dkms and make, but no C++ compiler. The packages that the
# tests install later are in its apt cache already. Does nothing when it is there already.
#
# usage: make-root.sh bookworm|trixie

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

usage="$self.sh bookworm|trixie"
[ $# = 1 ] || usage_error "$usage"
release=$1
self=make-root-$release
# Installed from the beginning, and later: each line of these is an installation of its own. The
# kernels of Debian 12 are 6.12 and 6.12 with 64K pages, which are backports, and then 6.1; those of
# Debian 13 are 6.12, 6.12 with 64K pages, 7.2.
case $release in
bookworm)
	suites='bookworm bookworm-backports'
	packages="linux-image-powerpc64le/bookworm-backports linux-headers-powerpc64le/bookworm-backports"
	later='linux-image-powerpc64le/bookworm linux-headers-powerpc64le/bookworm
linux-image-powerpc64le-64k linux-headers-powerpc64le-64k -t bookworm-backports'
	;;
trixie)
	suites=trixie
	packages='linux-image-powerpc64le linux-headers-powerpc64le'
	later='linux-image-powerpc64le-64k linux-headers-powerpc64le-64k'
	;;
*) usage_error "$usage" ;;
esac
packages+=' dkms make kmod'
later+=$'\ndebhelper\ng++'
contents="$packages $later"
[ "$release" != trixie ] || contents+=' and kernel 7.2 with linux-base'
root=$build/install/$release
# The stamp names what is in there.
is_there() {
	[ "$(cat "$root.stamp" 2>/dev/null)" = "$contents" ]
}
is_there && exit 0

debian_check
"$repo/scripts/host-packages.sh" toolchain install
"$repo/scripts/fetch-qemu-user.sh"
mkdir -p "${root%/*}"
exec 8>"$root.lock"
flock 8
is_there && exit 0

uri=$(debian_repositories | sed -n "s/ $codename\$//p" | head -n 1)
sources=$build/install/$release.list
for suite in $suites; do
	apt_source ppc64el "$suite" "$uri"
done >"$sources"
# shellcheck disable=SC2016 # for the shell of the hook
hooks=('--customize-hook=chroot "$1" apt-get clean')
while read -r line; do
	hooks+=("--customize-hook=chroot \"\$1\" apt-get install -qy --download-only --allow-downgrades $line")
done <<<"$later"

# kernel_7_2: into the root's /root/kernel-7.2, with what its packages depend on of the same version. By
# downloads of our own, which know what to do when the suite's mirror is in the middle of a sync.
kernel_7_2() {
	local list=$build/install/$release.7.2
	apt_foreign kernel-7.2-root ppc64el "$(debian_suite kernel-7.2)"
	fetch_debs kernel-7.2-root "$list" resolve_7_2
	mkdir -p "$root/root/kernel-7.2"
	mv "$list"/*.deb "$root/root/kernel-7.2/"
	rmdir "$list"
}

# shellcheck disable=SC2317 # fetch_debs calls it
resolve_7_2() {
	local version release
	version=$(versions kernel-7.2-root linux-image-powerpc64le:ppc64el 7.2. | head -n 1)
	release=$(apt_in kernel-7.2-root apt-cache show "linux-image-powerpc64le:ppc64el=$version" |
		sed -n 's/^Depends:.* linux-image-\([^ ,]*\).*/\1/p' | head -n 1)
	[ -n "$release" ] || return 1
	printf "%s:ppc64el=$version\n" "linux-"{image,base,binary,modules,headers}"-$release" \
		"linux-kbuild-${release%-powerpc64le}"
	echo "linux-headers-${release%-powerpc64le}-common=$version"
	echo "linux-base=$(versions kernel-7.2-root linux-base '' | head -n 1)" # newer than the suite's own
}

# Nothing boots from an initramfs of the root's own, and one takes minutes to make.
export INITRD=No
for try in 1 2 3; do
	# A mirror in the middle of a sync may have it by its other name.
	[ "$try" != 2 ] || other_names -i "$sources"
	say "making a system of Debian $release for ppc64el"
	rm -rf "$root"
	if quietly "$repo/selftests/install/isolated.sh" mmdebstrap --mode=root --skip=check/qemu \
		--skip=cleanup/apt --architectures=ppc64el --variant=apt --format=directory \
		--aptopt="$(machine_proxies)" --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="${packages// /,}" "${hooks[@]}" "$release" "$root" "$sources"; then
		[ "$release" != trixie ] || kernel_7_2
		echo "$contents" >"$root.stamp"
		say "it is in ${root#"$repo/"}, $(du -sm "$root" | cut -f 1) MB"
		exit 0
	fi
	say "that failed (try $try of 3)"
	sleep 5
done
die "cannot make ${root#"$repo/"}; see $log_dir/$self.log"

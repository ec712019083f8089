#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the kernel's kselftest headers out of Debian's linux-source package
# into build/kernels/KERNEL/selftests/. The package is large (150 MB) and is
# not kept. Does nothing when the headers are there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 1 ] || usage_error "$self.sh KERNEL"
kernel=$1
kernel_flavour "$kernel" >/dev/null
dir=$build/kernels/$kernel/selftests
[ -e "$dir/stamp" ] && exit 0

source_package=linux-source-${kernel%%-*}
files=(kselftest.h kselftest_harness.h)

resolve() {
	local version
	version=$(versions "$root" "$source_package" "${kernel%%-*}." | head -n 1)
	[ -n "$version" ] && echo "$source_package=$version"
}

debian_check
root=kernel-$kernel
debs=$build/kernels/$kernel.source
apt_lock
[ -e "$dir/stamp" ] && exit 0
apt_foreign "$root" "$host_arch,ppc64el" "$(debian_suite "$root")"
fetch_debs "$root" "$debs" resolve

say "unpacking ${files[*]}"
mkdir -p "$dir"
deb=$(deb_file "$debs" "$source_package")
dpkg --fsys-tarfile "$deb" |
	tar -xO --wildcards "./usr/src/$source_package.tar.*" |
	tar -xJ -C "$dir" --strip-components=4 \
		"${files[@]/#/$source_package/tools/testing/selftests/}"
rm -r "$debs"
touch "$dir/stamp"

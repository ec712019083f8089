#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds build/qemu/qemu-system-ppc64, the QEMU of the PowerNV lanes and of the benchmark on two CPUs:
# Debian's, with PHBs that keep the TCEs that a device has used until they are told to drop them, as real
# ones do, with CPUs that go on at the same time when instructions are counted, and with NVMe disks that
# interrupt, as real ones do, when their admin queue is older than MSI-X. The firmware is that of the installed
# QEMU, which stays as it is. Does nothing when it is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 0 ] || usage_error "$self.sh"
dir=$build/qemu
patches=("$repo"/selftests/qemu/*.patch)
made_from=$(cat "${patches[@]}" "$0" | sha256sum)
is_there() {
	[ "$(cat "$dir/stamp" 2>/dev/null)" = "$made_from" ]
}
is_there && exit 0

# QEMU is built with a Meson that this release of Debian may not have.
python_packages='meson python3-pycotap'

# What is downloaded beside the source.
# shellcheck disable=SC2317 # fetch_debs calls it
resolve() {
	local package version
	(cd "$work" && quietly apt_in "$root" apt-get source -q --download-only --tar-only qemu) || return 1
	for package in $python_packages; do
		version=$(versions "$root" "$package" '' | head -n 1)
		[ -n "$version" ] || return 1
		echo "$package=$version"
	done
}

debian_check
"$repo/scripts/host-packages.sh" qemu qemu-build
exec 8>"$build/qemu.lock"
flock 8
is_there && exit 0
root=qemu-source
work=$build/qemu.work
apt_lock
apt_foreign "$root" "$host_arch" "$(debian_suite qemu)"
sed -n 's/^deb /deb-src /p' "$apt_dir/$root/sources.list" >"$apt_dir/$root/deb-src"
cat "$apt_dir/$root/deb-src" >>"$apt_dir/$root/sources.list"
rm -rf "$work" "$dir"
mkdir -p "$work/source"
fetch_debs "$root" "$work/debs" resolve
# Others may download while QEMU is built.
exec 9>&-

tar -xJf "$work"/qemu_*.orig.tar.xz -C "$work/source" --strip-components=1
for patch in "${patches[@]}"; do
	quietly patch -d "$work/source" -p1 -i "$patch"
done
for deb in "$work"/debs/*.deb; do
	dpkg -x "$deb" "$work/python"
done
export PYTHONPATH=$work/python/usr/lib/python3/dist-packages
say "building QEMU $(cat "$work/source/VERSION"), some minutes"
mkdir "$work/build"
cd "$work/build"
quietly "$work/source/configure" --target-list=ppc64-softmmu --without-default-features \
	--enable-system --enable-tcg --enable-fdt=system --disable-install-blobs \
	--disable-debug-info --datadir=/usr/share
quietly ninja -j "$(nproc)" qemu-system-ppc64
mkdir "$dir"
mv qemu-system-ppc64 "$dir/"
rm -rf "$work"
echo "$made_from" >"$dir/stamp"
say "it is in ${dir#"$repo/"}"

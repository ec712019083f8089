#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches Debian's QEMU for ppc64el, the one that runs inside of an emulated
# host, and lays out what it needs:
#
#	build/target/qemu/bin/qemu-system-ppc64
#	build/target/qemu/lib/       its libraries, found by what the files ask for
#	build/target/qemu/lib64/     the dynamic loader
#	build/target/qemu/share/     the guest firmware, slof.bin
#
# Nothing is installed. Does nothing when that is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 0 ] || usage_error "$self.sh"
dir=$build/target/qemu
[ -e "$dir/stamp" ] && exit 0

readelf=powerpc64le-linux-gnu-readelf

# What apt would install for QEMU where nothing is installed.
resolve() {
	apt_in "$root" apt-get install -qq --simulate --no-install-recommends -t "$suite" \
		qemu-system-ppc:ppc64el qemu-system-data |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p'
}

# needed FILE: the libraries that a file asks for
needed() {
	"$readelf" -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# take NAME DIRECTORY: a library
take() {
	local file
	file=$(find "$tree" -name "$1" -path '*/powerpc64le-linux-gnu/*' | head -n 1)
	[ -n "$file" ] || die "none of the packages has $1"
	cp -L "$file" "$2/$1"
}

# take_libraries FILE: those of a file, those of these, and so on
take_libraries() {
	local name
	for name in $(needed "$1"); do
		if [ -e "$new/lib/$name" ] || [ "$name" = ld64.so.2 ]; then
			continue
		fi
		take "$name" "$new/lib"
		take_libraries "$new/lib/$name"
	done
}

debian_check
root=guest-qemu
suite=$(debian_suite qemu)
debs=$build/target/qemu.debs
tree=$build/target/qemu.tree
new=$build/target/qemu.new
apt_lock
[ -e "$dir/stamp" ] && exit 0
apt_foreign "$root" ppc64el "$suite" "$(debian_suite plain)"
fetch_debs "$root" "$debs" resolve

rm -rf "$tree" "$new" "$dir"
mkdir -p "$tree" "$new/bin" "$new/lib" "$new/lib64" "$new/share"
for deb in "$debs"/*.deb; do
	# Its links are relative, or lead to files of packages that are not here.
	dpkg --fsys-tarfile "$deb" | tar -x -C "$tree" --exclude=./usr/share/doc
done
cp "$tree/usr/bin/qemu-system-ppc64" "$new/bin/"
cp "$tree/usr/share/qemu/slof.bin" "$new/share/"
take ld64.so.2 "$new/lib64"
take_libraries "$new/bin/qemu-system-ppc64"
rm -r "$tree" "$debs"
mv "$new" "$dir"
touch "$dir/stamp"
say "QEMU for ppc64el is in ${dir#"$repo/"}"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches what boots on an emulated PC, whose type 1 is measured beside ours:
#
#	build/pc/vmlinuz     Debian's kernel 6.12 for amd64
#	build/pc/release     its release string
#	build/pc/modules/    those of VFIO
#	build/pc/busybox
#
# Does nothing when that is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 0 ] || usage_error "$self.sh"
dir=$build/pc
[ -e "$dir/stamp" ] && exit 0

# shellcheck disable=SC2317 # fetch_debs calls it
resolve() {
	local version package busybox
	version=$(versions "$root" linux-image-amd64 6.12. | head -n 1)
	busybox=$(versions "$root" busybox-static '' | head -n 1)
	package=$(apt_in "$root" apt-cache show "linux-image-amd64=$version" |
		sed -n 's/^Depends:.* \(linux-image-[^ ,]*\).*/\1/p' | head -n 1)
	[ -n "$package" ] && [ -n "$busybox" ] && printf '%s\n' "$package=$version" "busybox-static=$busybox"
}

debian_check
[ "$host_arch" = amd64 ] || die "this is for amd64: the program is compiled for the machine's own processor"
root=pc
new=$build/pc.new
apt_lock
[ -e "$dir/stamp" ] && exit 0
apt_foreign "$root" amd64 "$(debian_suite kernel-6.12)" "$(debian_suite plain)"
fetch_debs "$root" "$new/debs" resolve

for deb in "$new"/debs/*.deb; do
	dpkg -x "$deb" "$new/tree"
done
mkdir "$new/modules"
for module in irqbypass vfio vfio_iommu_type1 vfio-pci-core vfio-pci; do
	xz -dc "$(find "$new/tree" -name "$module.ko.xz")" >"$new/modules/$module.ko"
done
mv "$new"/tree/boot/vmlinuz-* "$new/vmlinuz"
find "$new/tree" -path '*lib/modules/*' -prune -printf '%f\n' >"$new/release"
mv "$(find "$new/tree" -path '*bin/busybox')" "$new/busybox"
rm -rf "$new/debs" "$new/tree" "$dir"
mv "$new" "$dir"
touch "$dir/stamp"
say "kernel $(cat "$dir/release") for a PC is in ${dir#"$repo/"}"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Says what does not follow by itself when the module was installed or removed: a module that is
# loaded, and an initramfs.
#
# usage: remind.sh RELEASE [ROOT]
set -eu

name=vfio_iommu_spapr_tce
release=$1
root=${2:-}

if [ -z "$root" ] && [ "$release" = "$(uname -r)" ] && [ -d "/sys/module/$name" ]; then
	echo "$name: what is loaded now stays. To change it, when nobody uses it:"
	echo "    modprobe -r $name && modprobe $name"
fi
if grep -qs '^[[:space:]]*vfio' "$root/etc/initramfs-tools/modules"; then
	echo "$name: vfio is listed in /etc/initramfs-tools/modules. For an initramfs to follow:"
	echo "    update-initramfs -u -k $release"
fi

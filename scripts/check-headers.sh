#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Says what is missing on this machine for a build for one of its kernels: exits 1 with the reason.
# First the kernel itself, for nobody should install the headers of one that cannot be served.
#
# usage: check-headers.sh RELEASE   with MODULES_DIR in the environment for tests
set -eu

release=$1
directory=${MODULES_DIR:-/lib/modules}/$release
major=${release%%.*}
minor=${release#*.}

"$(dirname "$0")/check-kernel.sh" "$major.${minor%%[!0-9]*}"
[ -e "$directory/build/Makefile" ] || {
	echo "vfio_iommu_spapr_tce: there are no headers of kernel $release: install the package" \
		"linux-headers-$release (kernel-devel-$release on Fedora and RHEL)" >&2
	exit 1
}

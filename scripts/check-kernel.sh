#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Says whether the module can be built for a kernel: exits 1 with the reason if not.
#
# usage: check-kernel.sh MAJOR.MINOR [CONFIG]   (CONFIG: the kernel's .config or auto.conf)
set -eu

version=$1
config=${2:-}
major=${version%%.*}
minor=${version#*.}

refuse()
{
	echo "vfio_iommu_spapr_tce: $*" >&2
	exit 1
}

# True if the kernel is at least $1.$2.
at_least()
{
	[ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

if at_least 5 19 && ! at_least 6 4; then
	refuse "kernels 5.19 to 6.3 refuse VFIO on POWER in their core; this one is $version." \
		"Debian 12 has 6.12 in bookworm-backports"
fi
at_least 6 12 || refuse "kernels before 6.12 are not tested and not served; this one is $version"

[ -n "$config" ] || exit 0
[ -r "$config" ] || refuse "there is no kernel configuration at $config"

# VFIO_CONTAINER: the UAPI that this driver is for. IOMMU_API, SPAPR_TCE_IOMMU: the platform's
# table groups and registered memory.
for option in CONFIG_PPC64 CONFIG_MODULES CONFIG_VFIO CONFIG_VFIO_CONTAINER CONFIG_IOMMU_API \
	CONFIG_SPAPR_TCE_IOMMU; do
	grep -q "^$option=[ym]" "$config" || refuse "the kernel was configured without $option"
done

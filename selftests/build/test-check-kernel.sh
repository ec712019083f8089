#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernels the build refuses, and with what message; and which headers it misses.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
config=$work/auto.conf
printf 'CONFIG_%s=y\n' PPC64 MODULES VFIO VFIO_CONTAINER IOMMU_API SPAPR_TCE_IOMMU >"$config"
failures=0

# expect STATUS MESSAGE VERSION [CONFIG]
expect() {
	answers "$1" "$2" "$repo/scripts/check-kernel.sh" "$3" "${4-$config}"
}

# expect_headers STATUS MESSAGE RELEASE
expect_headers() {
	answers "$1" "$2" env MODULES_DIR="$work/modules" "$repo/scripts/check-headers.sh" "$3"
}

# answers STATUS MESSAGE COMMAND...
answers() {
	local wanted=$1 message=$2 status=0 output
	shift 2
	output=$("$@" 2>&1) || status=$?
	if [ "$status" != "$wanted" ] || [[ $output != *"$message"* ]]; then
		say "$*: status $status, \"$output\"; expected $wanted, \"$message\""
		failures=$((failures + 1))
	fi
}

expect 0 "" 6.12
expect 0 "" 7.2
expect 1 "refuse VFIO on POWER" 5.19
expect 1 "refuse VFIO on POWER" 6.3
expect 1 "bookworm-backports" 6.1
expect 0 "" 6.12 ""
expect 1 "not tested" 6.4
expect 1 "not tested" 6.11
expect 1 "not tested" 5.15
expect 1 "no kernel configuration" 6.12 /nonexistent
sed -i /VFIO_CONTAINER/d "$config"
expect 1 "CONFIG_VFIO_CONTAINER" 6.12

release=6.12.95+deb12-powerpc64le
expect_headers 1 "install the package linux-headers-$release" "$release"
mkdir -p "$work/modules/$release/build"
expect_headers 1 "install the package linux-headers-$release" "$release"
: >"$work/modules/$release/build/Makefile"
expect_headers 0 "" "$release"
expect_headers 1 "bookworm-backports" 6.1.0-50-powerpc64le
[ "$failures" = 0 ]

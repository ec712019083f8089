#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernels the build refuses, and with what message.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

config=$(mktemp)
trap 'rm -f "$config"' EXIT
printf 'CONFIG_%s=y\n' PPC64 MODULES VFIO VFIO_CONTAINER IOMMU_API SPAPR_TCE_IOMMU >"$config"
failures=0

# expect STATUS MESSAGE VERSION [CONFIG]
expect() {
	local status=0 output
	output=$("$repo/scripts/check-kernel.sh" "$3" "${4-$config}" 2>&1) || status=$?
	if [ "$status" != "$1" ] || [[ $output != *"$2"* ]]; then
		say "kernel $3: status $status, \"$output\"; expected $1, \"$2\""
		failures=$((failures + 1))
	fi
}

expect 0 "" 6.12
expect 0 "" 7.2
expect 1 "refuse VFIO on POWER" 5.19
expect 1 "refuse VFIO on POWER" 6.3
expect 1 "not tested" 6.4
expect 1 "not tested" 6.11
expect 1 "not tested" 5.15
expect 1 "no kernel configuration" 6.12 /nonexistent
sed -i /VFIO_CONTAINER/d "$config"
expect 1 "CONFIG_VFIO_CONTAINER" 6.12
[ "$failures" = 0 ]

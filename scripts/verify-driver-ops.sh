#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Holds our declaration of struct vfio_iommu_driver_ops against the stock module: its object file
# says by relocations which function it put at which offset. Exits 1 where the two differ.
#
# usage: verify-driver-ops.sh MODULES KERNEL_LAYOUT.h   with READELF in the environment
# MODULES: a directory somewhere under which the stock module is, perhaps compressed
set -eu

modules=$1
layout=$2
readelf=${READELF:-readelf}

stock=$(find "$modules" -name 'vfio_iommu_spapr_tce.ko*' 2>/dev/null | head -n 1)
if [ -z "$stock" ]; then
	echo "verify: there is no stock module in $modules: struct vfio_iommu_driver_ops is taken on trust"
	exit 0
fi
module=$(mktemp)
trap 'rm -f "$module"' EXIT
case $stock in
*.xz) xz -dc "$stock" ;;
*.zst) zstd -qdc "$stock" ;;
*.gz) gzip -dc "$stock" ;;
*) cat "$stock" ;;
esac >"$module" || { echo "verify: cannot read $stock" >&2; exit 1; }

# Functions and the operations as "address section name", the size of the latter.
symbols=$($readelf -sW "$module" | awk '$NF ~ /^tce_iommu_/ { print $2, $(NF - 1), $NF, $3 }')
ops_section=$(printf '%s\n' "$symbols" | awk '$3 == "tce_iommu_driver_ops" { print $2 }')
ops_start=$(printf '%s\n' "$symbols" | awk '$3 == "tce_iommu_driver_ops" { print $1 }')
ops_size=$(printf '%s\n' "$symbols" | awk '$3 == "tce_iommu_driver_ops" { print $4 }')
[ -n "$ops_section" ] || { echo "verify: no tce_iommu_driver_ops in $stock" >&2; exit 1; }

section_name=$($readelf -SW "$module" | sed 's/^ *\[ */[/' |
	awk -v number="[$ops_section]" '$1 == number { print $2 }')

# Pointers in that section as "offset symbol addend".
pointers=$($readelf -rW "$module" | awk -v section="'.rela$section_name'" '
	/^Relocation section/ { inside = $3 == section; next }
	inside && $3 == "R_PPC64_ADDR64" { print $1, $5, $7 }')

# offset_of FUNCTION: where in the operations the pointer to it is. A relocation names a function by its own symbol
# or as an address in .text.
offset_of()
{
	address=$(printf '%s\n' "$symbols" | awk -v name="$1" '$3 == name { print $1 }')
	printf '%s\n' "$pointers" | while read -r offset symbol addend; do
		if [ "$symbol" = "$1" ] ||
			{ [ "$symbol" = .text ] && [ $((0x$addend)) -eq $((0x$address)) ]; }; then
			echo $((0x$offset - 0x$ops_start))
		fi
	done
}

ours()
{
	awk -v name="DRIVER_OPS_$1" '$2 == name { print $3 }' "$layout"
}

members="open release ioctl attach_group detach_group"
for member in $members; do
	theirs=$(offset_of "tce_iommu_$member")
	if [ "$theirs" != "$(ours "$member")" ]; then
		echo "verify: vfio_iommu_driver_ops.$member is at $theirs in $stock," \
			"not at $(ours "$member")" >&2
		exit 1
	fi
done
if [ "$ops_size" != "$(ours size)" ]; then
	echo "verify: struct vfio_iommu_driver_ops has $ops_size bytes in $stock," \
		"not $(ours size)" >&2
	exit 1
fi
echo "verify: the stock module has vfio_iommu_driver_ops as we declare it ($members, size)"

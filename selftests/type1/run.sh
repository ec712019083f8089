#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs programs that know type 1 only, in one lane (a machine and a kernel) with our module: the kernel's
# own tests of VFIO on edu devices, an NVMe disk and a NIC. The last line of output is the count; the exit
# status is 0 if nothing failed.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

[ $# = 1 ] || usage_error "$self.sh LANE"
open_lane "$1"
name=type1-$lane
programs=("$build"/selftests/type1-ppc64le/vfio_*)
image=$build/target/$name.disk
truncate -s 32M "$image"
# It has a PHB of its own, of which an emulated POWER8 has none left.
nics=()
[ "$machine" = powernv8 ] || nics=(-device "e1000e,bus=pcie.3,romfile=")

initramfs=$build/initramfs/$name.cpio
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$repo/selftests/type1/init" ":$here/guest.sh" ":$here/client.sh" \
	$(vfio_modules) "modules:$(module_file ours)" "${programs[@]/#/tests:}"

results=$log_dir/$name.results
boot_guest "$name" "$(emulator)" "$initramfs" "nics=$((${#nics[@]} / 2))" '' -smp 2 \
	-drive "file=$image,if=none,id=disk,format=raw" -device nvme,bus=pcie.2,drive=disk,serial=disk "${nics[@]}"

# The kernel's tests want a BAR to be mapped, as on a PC. Here that has to fail, and with EFAULT.
awk '
	function decide() {
		if (test != "")
			printf "%s", refused ? "pass " test "_is_refused\n" : held
		test = ""
	}
	/^\t/ && test != "" {
		held = held $0 "\n"
		if (/Observed: 0xfffffffffffffff2 == 0$/)
			refused = 1
		next
	}
	/^\t/ { print; next }
	{ decide() }
	$2 ~ /^dma_mapping_mmio/ && $1 == "fail" {
		test = $2 " " $3
		held = $0 "\n"
		refused = 0
		next
	}
	$2 ~ /^dma_mapping_mmio/ && $1 == "pass" { print "fail " $2 " " $3 " a BAR was mapped"; next }
	{ print }
	END { decide() }' "$results.all" >"$results"
report_lane "$name" "$name"

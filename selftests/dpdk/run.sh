#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots an emulated host in which DPDK's testpmd has two NICs behind two PHBs, with one driver after the
# other: none, the negative control; the stock driver; ours; ours with containers of type 1. The last line of output is the count; the exit
# status is 0 if nothing failed.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"
# shellcheck source=selftests/qemu/drivers.sh
. "$repo/selftests/qemu/drivers.sh"

[ $# = 1 ] || usage_error "$self.sh LANE"
open_lane "$1"
drivers=(none stock ours type1)
name=dpdk-$lane
self=$name
dpdk=$build/target/dpdk
[ -e "$dpdk/stamp" ] || die "no DPDK for the guest: run scripts/fetch-guest-program.sh dpdk"

# Both are ports of one hub in QEMU, which nothing else is at.
nics=()
for nic in 0 1; do
	nics+=(-netdev "hubport,id=port$nic,hubid=0"
		-device "e1000e,bus=pcie.$((nic + 2)),netdev=port$nic,mac=52:54:00:00:00:0$nic,romfile=")
done

libraries=("$dpdk"/lib/*)
initramfs=$build/initramfs/$name.cpio
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$repo/selftests/dpdk/guest-init" ":$here/guest.sh" \
	":$here/client.sh" $(vfio_modules) \
	"modules/ours:$(module_file ours)" "modules/stock:$(module_file stock)" \
	"bin:$dpdk/bin/dpdk-testpmd" "${libraries[@]/#/lib:}" "lib64:$dpdk/lib64/ld64.so.2"

boot_drivers "$(emulator)" "$initramfs" '' -smp 2 "${nics[@]}"
report_drivers

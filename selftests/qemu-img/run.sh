#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Has QEMU's own tools drive an NVMe disk from user space (nvme://), in one lane (a machine and a kernel) with
# our module: they know containers of type 1 only. See guest-init. The last line of output is the count; the
# exit status is 0 if nothing failed.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

[ $# = 1 ] || usage_error "$self.sh LANE"
open_lane "$1"
name=qemu-img-$lane
self=$name
tools=$build/target/qemu-img
[ -e "$tools/stamp" ] || die "no qemu-img for the guest: run scripts/fetch-guest-program.sh qemu-img"
image=$build/target/$name.disk
head -c 32M /dev/urandom >"$image"
sum_of_disk() {
	md5sum <"$image" | cut -d ' ' -f 1
}

# A partition has an NVMe disk already, on the PHB before.
case $machine in
pseries*)
	bus=phb4.0
	disks=2
	phb=(-device "spapr-pci-host-bridge,index=4,id=phb4")
	;;
*)
	bus=pcie.2
	disks=1
	phb=()
	;;
esac

libraries=("$tools"/lib/*)
initramfs=$build/initramfs/$name.cpio
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$repo/selftests/qemu-img/guest-init" ":$here/guest.sh" \
	":$here/client.sh" $(vfio_modules) "modules:$(module_file ours)" \
	"bin:$tools/bin/qemu-img" "bin:$tools/bin/qemu-io" "${libraries[@]/#/lib:}" "lib64:$tools/lib64/ld64.so.2"

results=$log_dir/$name.results
boot_guest "$name" "$build/qemu/qemu-system-ppc64" "$initramfs" "sum=$(sum_of_disk) disks=$disks" qemu-img \
	-smp 2 "${phb[@]}" -drive "file=$image,if=none,id=image,format=raw" \
	-device "nvme,bus=$bus,drive=image,serial=image"
mv "$results.all" "$results"
grep -q "^guest: image $(sum_of_disk)\b" "$log_dir/$name.log" && ended=pass || ended=fail
echo "$ended qemu-img the_file_has_what_the_guest_wrote" >>"$results"
report_lane "$name" "$name"

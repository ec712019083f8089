#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots an emulated POWER9 host which gives two NVMe disks behind two PHBs to a guest of its own, in
# the distribution's QEMU, with one driver after the other:
#
#	none            the negative control
#	stock           the stock driver
#	ours            our module
#	kernel-tables   ours over the tables of the kernel's platform code
#	stock-alone     the stock driver; the guest has one disk and only the small window
#	ours-alone      the same with ours
#
# The guest's TCEs are written by KVM, but in kvm-tcg and kvm-tcg-reboot by QEMU, through MAP_DMA and
# UNMAP_DMA. In kvm-64k both kernels have pages of 64K; in kvm-hugepages the guest's memory is pages of
# hugetlbfs. The guest is rebooted where it has two disks; not in kvm-tcg, where each boot takes minutes.
# The last line of output is the count; the exit status is 0 if nothing failed.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"
# shellcheck source=selftests/qemu/drivers.sh
. "$repo/selftests/qemu/drivers.sh"

usage="$self.sh kvm|kvm-variants|kvm-64k|kvm-hugepages|kvm-tcg|kvm-tcg-reboot"
[ $# = 1 ] || usage_error "$usage"
name=$1
self=$name
accel=kvm
reboots=yes
hugepages=no
lane=powernv9-6.12
# KVM keeps tables of ours, and by them our module: nothing can come after "ours".
case $name in
kvm) drivers=(none ours) ;;
kvm-variants) drivers=(stock stock-alone ours-alone kernel-tables) ;;
kvm-64k)
	lane=powernv9-7.2-64k
	drivers=(stock ours)
	;;
kvm-hugepages)
	hugepages=yes
	drivers=(stock ours)
	;;
kvm-tcg)
	accel=tcg
	reboots=no
	drivers=(ours)
	;;
kvm-tcg-reboot)
	accel=tcg
	drivers=(stock ours)
	;;
*) usage_error "$usage" ;;
esac
open_lane "$lane"
timeout=1800
[ $accel = kvm ] || timeout=3600
# A guest that boots is silent.
silence=$((timeout / 3))
scripts=$repo/selftests/kvm
programs=$build/selftests/kvm-ppc64le
qemu=$build/target/qemu
[ -e "$qemu/stamp" ] || die "no QEMU for the guest: run scripts/fetch-guest-program.sh qemu"

# The disks: 4 MiB of the host's, and for each driver 4 MiB of what the guest writes.
sums=''
disks=()
for disk in 0 1; do
	image=$build/target/$name.disk$disk
	head -c 4M /dev/urandom >"$image"
	truncate -s "$((4 + 4 * ${#drivers[@]}))M" "$image"
	sum=$(head -c 4M "$image" | md5sum)
	sums+=" sum_disk$disk=${sum%% *}"
	disks+=(-drive "file=$image,if=none,id=disk$disk,format=raw"
		-device "nvme,bus=pcie.$((disk + 2)),drive=disk$disk,serial=disk$disk")
done

libraries=("$qemu"/lib/*)
initramfs=$build/initramfs/$name
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs.guest.cpio" "$scripts/guest-init" "bin:$programs/isolate" $(nvme_modules)
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs.cpio" "$scripts/host-init" ":$here/guest.sh" ":$here/client.sh" \
	$(vfio_modules) $(kvm_modules) \
	"modules/ours:$(module_file ours)" "modules/stock:$(module_file stock)" \
	"bin:$qemu/bin/qemu-system-ppc64" "${libraries[@]/#/lib:}" "lib64:$qemu/lib64/ld64.so.2" \
	"share:$qemu/share/slof.bin" ":$kernel_dir/vmlinux" "guest:$initramfs.guest.cpio" \
	"bin:$programs/kvm-cap"
# The machine has room for 128M, and this is nearly as large.
gzip -1f "$initramfs.cpio"

boot_drivers qemu-system-ppc64 "$initramfs.cpio.gz" "accel=$accel reboots=$reboots hugepages=$hugepages$sums" \
	-m 6G -smp 2 "${disks[@]}"

# mib DISK NUMBER: the checksum of a MiB of a disk's file
mib() {
	dd if="$build/target/$name.$1" bs=1M skip="$2" count=1 status=none | md5sum
}

# check_files: for each driver a line of result: whether the files have all that its guest said it
# had copied
check_files() {
	local what driver='' from mib to place copies=0 wrong=''
	while read -r _ what from mib to place; do
		case $what in
		begin) driver=$from copies=0 wrong='' ;;
		copied)
			copies=$((copies + 1))
			[ "$(mib "$from" "$mib")" = "$(mib "$to" "$place")" ] || wrong="$to at $place MiB"
			;;
		end)
			[ "$driver" != none ] || continue
			[ "$copies" != 0 ] || wrong='nothing was copied'
			echo "$([ -z "$wrong" ] && echo pass || echo fail) $driver" \
				"the_files_have_what_the_guest_wrote $wrong"
			;;
		esac
	done < <(grep -E '^guest: (begin|copied|end) ' "$log_dir/$name.log" | tr -d '\r')
}
check_files >>"$results.all"

report_drivers

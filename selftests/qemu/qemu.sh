#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots one guest. Its console goes to a log, and with --live to standard
# output as well. The guest says with its last line, "guest: finished", that it
# is done; QEMU is stopped then, because a power-off stalls now and then.
#
# The limits are for a machine that is not slower than others. This one may be, or be busy: they, and
# the kernel's, are longer then; and longer so many --times for a kernel that takes its time. The guest
# is told how many times, in its environment: slowness.
#
# Exit status: 0 the guest finished, 3 its kernel panicked, 4 it did not finish
# in time or said nothing for too long, 5 QEMU ended by itself, 6 the timer of one of its CPUs has
# stopped.
#
# On a busy machine the emulated firmware now and then resets the machine while
# it looks for devices, or the kernel stops on its way to its first program:
# such a start is tried again, up to three times in all.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage="$self.sh --machine NAME --kernel DIR --initramfs FILE --log FILE [--qemu PROGRAM] \
[--timeout SECONDS] [--silence SECONDS] [--times NUMBER] [--append ARGS] [--live] [-- QEMU-ARGS...]"

args=("$@")
attempt=${QEMU_ATTEMPT-1}
machine='' kernel='' initramfs='' log='' qemu=qemu-system-ppc64 timeout=120 silence='' times=1 append='' live=''
while [ $# -gt 0 ]; do
	case $1 in
	--machine) machine=${2-} && shift ;;
	--kernel) kernel=${2-} && shift ;;
	--initramfs) initramfs=${2-} && shift ;;
	--log) log=${2-} && shift ;;
	--qemu) qemu=${2-} && shift ;;
	--timeout) timeout=${2-} && shift ;;
	--silence) silence=${2-} && shift ;;
	--times) times=${2-} && shift ;;
	--append) append=${2-} && shift ;;
	--live) live=yes ;;
	--) shift && break ;;
	*) usage_error "$usage" ;;
	esac
	shift || usage_error "$usage"
done
case "$machine,$kernel,$initramfs,$log" in
,* | *,,* | *,) usage_error "$usage" ;;
esac

# The machines. Each has two edu devices in two IOMMU groups: edu does real DMA,
# 28 bits of it unless told otherwise. The second function beside each is there
# to be in the way of a bus reset, which vfio-pci otherwise does whenever the
# device is opened or closed, and which takes the firmware seconds.
#
# A group of a partition is all that is behind a PHB. A third one has an NVMe disk, for the
# tests in which a device goes back to a driver of the kernel; it holds the initramfs.
case $machine in
pseries*) buses='phb1.0 phb2.0' ;;
*) buses='pcie.0 pcie.1' ;;
esac
devices=()
for bus in $buses; do
	devices+=(-device "edu,bus=$bus,addr=0.0,multifunction=on,dma_mask=0xffffffffffffffff"
		-device "pci-testdev,bus=$bus,addr=0.1")
done
# Of every size of large pages that the MMU has a few are set aside, for large
# TCEs. A page of 1G must be aligned in what the kernel has not taken yet.
radix='' huge=''
radix_huge='hugepagesz=2M hugepages=8 hugepagesz=1G hugepages=1'
powernv=(-M "$machine" "${devices[@]}")
partition=(-M pseries -m '3G,slots=1,maxmem=128G' -vga none -nodefaults
	-device 'spapr-pci-host-bridge,index=1,id=phb1'
	-device 'spapr-pci-host-bridge,index=2,id=phb2'
	-device 'spapr-pci-host-bridge,index=3,id=phb3'
	-drive "if=none,id=disk,format=raw,readonly=on,file=$initramfs"
	-device 'nvme,bus=phb3.0,serial=1,drive=disk' "${devices[@]}")
case $machine in
powernv8)
	huge='hugepagesz=16M hugepages=4'
	set -- "${powernv[@]}" -m 2G "$@"
	;;
powernv9 | powernv10)
	radix=yes
	huge=$radix_huge
	set -- "${powernv[@]}" -m 3G "$@"
	;;
pseries)
	huge=$radix_huge
	set -- "${partition[@]}" "$@"
	;;
# Without dynamic windows.
pseries-noddw) set -- "${partition[@]}" -global spapr-pci-host-bridge.ddw=off "$@" ;;
*) die "unknown machine $machine (known: powernv8 powernv9 powernv10 pseries pseries-noddw)" ;;
esac
# at_most LIMIT NUMBER
at_most() {
	echo $(($2 < $1 ? $2 : $1))
}

# An oops ends the boot: what came after it would mean nothing.
append="console=hvc0 loglevel=4 panic=-1 oops=panic $huge $append"
# The kernel complains of what takes longer than this, and the tests of what the kernel complains of.
slowness=$(($("$(dirname "$0")/slowness.sh") * times))
append+=" slowness=$slowness sysctl.kernel.hung_task_timeout_secs=$((120 * slowness))"
append+=" rcupdate.rcu_cpu_stall_timeout=$(at_most 300 $((21 * slowness)))"
append+=" watchdog_thresh=$(at_most 60 $((10 * slowness)))"
timeout=$((timeout * slowness))
[ -z "$silence" ] || silence=$((silence * slowness))
set -- "$@" -display none -no-reboot -kernel "$kernel/vmlinux" -initrd "$initramfs"

# radix_tree FILE QEMU-ARGS...: QEMU's own device tree for a machine, to which is
# added what is missing there: the page sizes of the radix MMU, without which
# Linux has no large pages. The format is that of the POWER ISA's AP encodings:
# the encoding in the first three bits, log2 of the size in the last.
radix_tree() {
	local tree=$1 cpu
	shift
	printf 'dumpdtb %s\nquit\n' "$tree" | timeout $((60 * slowness)) "$qemu" "$@" -S \
		-serial none -monitor stdio >>"$log_dir/$self.log" 2>&1 || return 1
	for cpu in $(fdtget -l "$tree" /cpus); do
		fdtput -t x "$tree" "/cpus/$cpu" ibm,processor-radix-AP-encodings \
			0000000c a0000010 20000015 4000001e || return 1
	done
}

# With -dtb QEMU uses that tree as it is, and it has the kernel's command line.
if [ -n "$radix" ]; then
	tree=${log%.log}.dtb
	radix_tree "$tree" "$@" -append "$append" || die "no device tree; see build/log/$self.log"
	set -- "$@" -dtb "$tree"
else
	set -- "$@" -append "$append"
fi

# Process substitution, because $! is then QEMU itself.
exec 3>"$log" 4< <(exec "$qemu" "$@" -monitor none -serial stdio </dev/null 2>&1)
pid=$!
# shellcheck disable=SC2064 # now, not later
trap "kill $pid 2>/dev/null || true" EXIT
trap 'exit 130' INT TERM

status=5
deadline=$((SECONDS + timeout))
while :; do
	left=$((deadline - SECONDS))
	if [ -n "$silence" ] && [ "$left" -gt "$silence" ]; then
		left=$silence
	fi
	got=0
	# "read -t 0" would not read, and a status over 128 means time is up.
	IFS= read -r -t "$((left > 0 ? left : 1))" -u 4 line || got=$?
	if [ "$got" != 0 ]; then
		if [ "$got" -gt 128 ] && [ "$status" != 3 ]; then
			status=4
		fi
		break
	fi
	line=${line%$'\r'}
	printf '%s\n' "$line" >&3
	[ -z "$live" ] || printf '%s\n' "$line"
	case $line in
	'guest: finished')
		status=0
		break
		;;
	*"kthread timer wakeup didn't happen"*)
		status=6
		break
		;;
	*'Kernel panic - not syncing'*)
		# The trace comes after this line.
		status=3
		deadline=$((SECONDS + 3))
		;;
	esac
	[ "$SECONDS" -le "$deadline" ] || {
		[ "$status" = 3 ] || status=4
		break
	}
done
if [ "$status" = 5 ]; then
	ended=0
	wait "$pid" || ended=$?
	echo "QEMU ended with status $ended" >&3
fi
case $status in
4 | 5)
	if [ "$attempt" -lt 3 ] && ! grep -q '^guest: ' "$log"; then
		say "the machine did not start (attempt $attempt of 3)" >&2
		kill "$pid" 2>/dev/null || true
		wait "$pid" || true
		QEMU_ATTEMPT=$((attempt + 1)) exec "$0" "${args[@]}"
	fi
	;;
esac
exit "$status"

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Shared by the init scripts of the guests in which a real client of VFIO runs with one driver after the
# other (busybox sh). Sourced after guest.sh; $client is the client's process.
# shellcheck disable=SC2154 # that, and what comes from the kernel's command line

tracing=/sys/kernel/tracing

# --- drivers ------------------------------------------------------------------------------------

# load_driver NAME: one of those that run.sh knows
load_driver() {
	case $1 in
	stock*) load /modules/stock/vfio_iommu_spapr_tce.ko ;;
	kernel-tables) load /modules/ours/vfio_iommu_spapr_tce.ko powernv=kernel ;;
	type1) load /modules/ours/vfio_iommu_spapr_tce.ko type1=1 ;;
	*) load /modules/ours/vfio_iommu_spapr_tce.ko ;;
	esac
}

module_unloads() {
	why='rmmod failed'
	rmmod vfio_iommu_spapr_tce
}

# device_address 1|2: the first and the second PCI device
device_address() {
	# shellcheck disable=SC2012 # names without surprises
	ls -d /sys/bus/pci/drivers/vfio-pci/*:* | sed -n "s:.*/::;$1p"
}

# mount_hugetlbfs DIRECTORY PAGES: with so many pages of 2M
mount_hugetlbfs() {
	echo "$2" >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	mkdir -p "$1"
	mount -t hugetlbfs -o pagesize=2M hugetlbfs "$1"
}

# --- results ------------------------------------------------------------------------------------

begin() {
	echo "guest: begin $1"
	echo "1..$2"
	number=0
	began=$(seconds)
}

seconds() {
	cut -d . -f 1 /proc/uptime
}

# check NAME COMMAND...: a test; the command says in $why what is wrong
check() {
	name=$1
	shift
	number=$((number + 1))
	why="exit status of $1"
	if "$@"; then
		echo "ok $number $name"
		return 0
	fi
	echo "not ok $number $name # $why"
	return 1
}

note() {
	echo "note: $(($(seconds) - began)) s: $*"
}

# wait_until SECONDS COMMAND...: longer on a slow machine
wait_until() {
	deadline=$(($(seconds) + $1 * slowness))
	shift
	until "$@"; do
		[ "$(seconds)" -le "$deadline" ] || return 1
		sleep 0.1
	done
}

# --- counting -----------------------------------------------------------------------------------

# What is counted while a client runs: what it asks of containers, and the pages that are charged to
# processes and given back.
define_events() {
	mount -t tracefs tracefs $tracing
	echo 'p:tce/ioctl vfio:vfio_fops_unl_ioctl key=%gpr4:u32
p:tce/charge account_locked_vm pages=%gpr4:u64 key=%gpr5:u8' >$tracing/kprobe_events
}

start_counting() {
	for event in "$tracing"/events/tce/*/; do
		values=hitcount
		[ "$event" != $tracing/events/tce/charge/ ] || values=hitcount,pages
		echo "hist:keys=key:vals=$values" >"$event/trigger"
	done
}

stop_counting() {
	for event in "$tracing"/events/tce/*/; do
		trigger=$(sed -n 's/ \[active\]$//p' "$event/trigger")
		echo "!$trigger" >"$event/trigger"
	done
}

# count EVENT KEY [VALUE]: how many there were, or the sum of a value of theirs
count() {
	sed -n "s/^{ key: *$(($2)) }.* ${3-hitcount}: *\([0-9]*\).*/\1/p" \
		"$tracing/events/tce/$1/hist" 2>/dev/null | grep . || echo 0
}

# ioctls NUMBER: of VFIO; the high bits are what _IO() of this architecture puts there
ioctls() {
	count ioctl $((0x20003b64 + $1))
}

# charged: pages that are charged to the client and not given back
charged() {
	echo $(($(count charge 1 pages) - $(count charge 0 pages)))
}

# page_size: of the kernel, in KiB
page_size() {
	sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p' /proc/self/smaps | head -n 1
}

# pages that are pinned now
pinned() {
	echo 1 >/proc/sys/vm/stat_refresh
	awk '$1 == "nr_foll_pin_acquired" { n += $2 } $1 == "nr_foll_pin_released" { n -= $2 }
	     END { print n }' /proc/vmstat
}

# locked: what the client has locked, in KiB
locked() {
	sed -n 's/^VmLck:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$client/status"
}

# note_windows: those of all containers, where the driver says what there is
note_windows() {
	sed -n 's/^window=[0-9]* \(.*\) tce_bytes.*/\1/p' \
		/sys/kernel/debug/vfio_iommu_spapr_tce/[0-9]*/state 2>/dev/null |
		while read -r window; do
			note "window $window"
		done
}

lives() {
	kill -0 "$client" 2>/dev/null
}

# open_files PATTERN: how many the client has
open_files() {
	# shellcheck disable=SC2010 # what they are links to
	ls -l "/proc/$client/fd" | grep -c -- "-> $1\$"
}

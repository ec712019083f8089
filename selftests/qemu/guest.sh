# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Shared by the init scripts of the guests (busybox sh). What the host side
# reads from the console begins with "guest:".

fail() {
	kernel_log failure
	echo "guest: failed: $*"
	finish
}

# finish: the host stops QEMU at this line
finish() {
	sync
	echo "guest: finished"
	while :; do sleep 60; done
}

prepare() {
	/bin/busybox --install -s /bin
	export PATH=/bin HOME=/
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mount -t tmpfs tmpfs /tmp
	mount -t debugfs debugfs /sys/kernel/debug
	# A program's lines and the kernel's would cut each other to pieces on
	# the console: the kernel's come from the ring buffer instead, between
	# programs. Only what leads to a panic goes to the console by itself.
	echo "guest: kernel $(uname -r)"
	kernel_log boot
}

# kernel_log WHEN: prints and forgets the kernel's messages
kernel_log() {
	# A message without an end of line stays hidden until the next one.
	echo "end of log: $1" >/dev/kmsg
	echo "guest: kernel log: $1"
	dmesg -c
}

# load MODULE-FILE [PARAMETER=VALUE]
load() {
	insmod "$@" || fail "insmod $*"
}

# unload MODULE
unload() {
	rmmod "$1" || fail "rmmod $1"
}

uptime_seconds() {
	cut -d. -f1 /proc/uptime
}

# find_leaks: has the kernel look for lost memory, if it can. How much there is goes to its log; who
# had asked for it is shown here. A loss shows in the second look, when it has been there for 5 s.
find_leaks() {
	leaks=/sys/kernel/debug/kmemleak
	[ -e $leaks ] || return 0
	echo "guest: leaks"
	sleep 6
	echo scan >$leaks
	echo scan >$leaks
	cat $leaks
}

# take_devices NUMBER: gives so many devices with the PCI ids $pci_ids, the edu devices if that is not set,
# to vfio-pci; their names are in $found
take_devices() {
	found=''
	for device in /sys/bus/pci/devices/*; do
		[ "$(cat "$device/vendor" "$device/device" | xargs)" = "${pci_ids-0x1234 0x11e8}" ] ||
			continue
		name=${device##*/}
		echo vfio-pci >"$device/driver_override"
		echo "$name" >/sys/bus/pci/drivers_probe
		[ "$(basename "$(readlink "$device/driver")")" = vfio-pci ] ||
			fail "$name is not bound to vfio-pci"
		group=$(basename "$(readlink "$device/iommu_group")")
		[ -c "/dev/vfio/$group" ] || fail "no /dev/vfio/$group"
		found="$found $name"
		echo "guest: device $name in group $group"
	done
	[ "$(echo "$found" | wc -w)" = "$1" ] || fail "there are not $1 devices for vfio-pci"
}

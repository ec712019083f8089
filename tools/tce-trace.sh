#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows the events of vfio_iommu_spapr_tce as they come, until it is interrupted or COMMAND has ended.
# They go through a buffer of their own, so that other tracing is not disturbed. Needs nothing but a
# shell and root; trace-cmd and perf show the same events: trace-cmd record -e vfio_iommu_spapr_tce.
#
# usage: tce-trace.sh [-e EVENT[,EVENT...]] [COMMAND...]
#	-e	some events only: group_attach, group_detach, window_create, window_remove, register,
#		unregister, map, unmap, kvm_exchange, invalidate, invalidate_table
set -eu

tracefs=/sys/kernel/tracing
instance=$tracefs/instances/tce-trace.$$
reader=''

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

clean_up() {
	# The reader takes what there is still.
	[ -z "$reader" ] || { sleep 1 && kill "$reader" && wait "$reader"; } 2>/dev/null || :
	[ ! -d "$instance" ] || {
		echo 0 >"$instance/events/enable"
		rmdir "$instance"
	}
}

# Not by cat: busybox's has the kernel splice, which keeps a pipe locked that the output may be while it
# waits for an event.
show() {
	exec dd if="$instance/trace_pipe" bs=4096 2>/dev/null
}

wanted=''
if [ "${1-}" = -e ]; then
	[ $# -ge 2 ] || die "-e wants the names of events"
	wanted=$(echo "$2" | tr , ' ')
	shift 2
fi

[ -d "$tracefs/events" ] || mount -t tracefs tracefs "$tracefs" || die "there is no tracefs"
[ -d "$tracefs/events/vfio_iommu_spapr_tce" ] ||
	die "no events: the module is not loaded, or it is the stock one"
trap clean_up EXIT
trap 'exit 130' INT TERM
mkdir "$instance"
events=$instance/events/vfio_iommu_spapr_tce
if [ -z "$wanted" ]; then
	echo 1 >"$events/enable"
else
	for event in $wanted; do
		[ -d "$events/tce_$event" ] || die "no event $event"
		echo 1 >"$events/tce_$event/enable"
	done
fi

if [ $# = 0 ]; then
	(show)
else
	show &
	reader=$!
	status=0
	"$@" || status=$?
	exit "$status"
fi

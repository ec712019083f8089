#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the test programs in one lane (a machine and a kernel) with our module, with our module on the
# TCE tables of the kernel's own platform code, with our module and a hypervisor that has no multi-TCE
# calls, with our module again and again for AGAIN_FOR seconds, half an hour of stress or an hour of the
# model if that is not set, or with the stock module. All of them, unless some are named. The last line
# of output is the count; the exit status is 0 if nothing failed.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

usage="$self.sh LANE [--ours | --kernel-tables | --single-tce | --stress | --model | --stock] [PROGRAM...]"
[ $# -ge 1 ] || usage_error "$usage"
open_lane "$1"
shift
which=ours
case ${1-} in
--ours | --stock | --kernel-tables | --single-tce | --stress | --model)
	which=${1#--}
	shift
	;;
esac
module=$(module_file ours)
case $which in
stock) module=$(module_file stock) ;;
kernel-tables) parameters='powernv=kernel' ;;
# The kernel forgets that the hypervisor has them.
single-tce) parameters='multitce=off' ;;
stress)
	parameters="again_for=${AGAIN_FOR:-1800} STRESS_SECONDS=60"
	timeout=3600
	;;
# Sequences of calls that are others each time.
model)
	parameters="again_for=${AGAIN_FOR:-3600} MODEL_SECONDS=40"
	timeout=4800
	;;
esac
# Races and cycles are a quarter of what they are; see brief.h.
[ -z "${BRIEF-}" ] || parameters+=' brief=1'
if [ $# = 0 ]; then
	programs=$(all_programs)
	mapfile -t programs <<<"$programs"
else
	programs=("$@")
	# To poison all of the memory, at boot, takes as long as some programs.
	[ -z "${BRIEF-}" ] || poison=0
fi

name=lane-$lane-$which
boot_lane "$name" "$module" "${programs[@]}"

report_lane "$name" "$lane-$which"

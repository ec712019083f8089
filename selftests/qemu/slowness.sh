#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints how many times slower this machine is now, with whatever else runs on it, than one on which
# the limits of the tests are right: 1 or more. All that ends after a number of seconds takes the
# number from here: qemu.sh for its own limits, and the guests' scripts, programs and kernel from the
# kernel's command line.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

# What a loop on each CPU takes, in microseconds, where three lanes run on two CPUs; and how many processes
# of these lanes want each CPU then.
reference=1000000
reference_load=3

loop() {
	local i
	for ((i = 0; i < 150000; i++)); do :; done
}

started=${EPOCHREALTIME/./}
for ((cpu = $(nproc); cpu > 0; cpu--)); do
	loop &
done
wait
took=$((${EPOCHREALTIME/./} - started))
by_loop=$(((took + reference - 1) / reference))
# Guests may happen to wait while it runs, so that it says nothing of them; the load of the last minute does.
read -r load _ </proc/loadavg
by_load=$((${load%.*} / (reference_load * $(nproc)) + 1))
echo $((by_loop > by_load ? by_loop : by_load))

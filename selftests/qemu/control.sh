#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The control of test_invalidation: runs it in one lane of PowerNV with PHBs that ignore it when they
# are told to drop TCEs. Each of its tests has to fail, because a device still sees what it should not.
# The last line of output is the count of those that do so; the exit status is 0 if there is no other.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

[ $# = 1 ] || usage_error "$self.sh LANE"
open_lane "$1"
module=$(module_file ours)
program=test_invalidation
name=control-$lane
for phb in pnv-phb3 pnv-phb4; do
	options+=(-global "$phb.tce-kill=off")
done
boot_lane "$name" "$module" "$program"

# What a failed test said is on the lines behind it.
awk -v program="$program" '
	function end() {
		if (test != "")
			print stale ? "pass" : "fail", program, test, stale ? "" : "it should fail by what the device sees"
		test = ""
	}
	/^\t/ { stale = stale || /the device (wrote|could)/; next }
	{ end() }
	$2 == program && ($1 == "pass" || $1 == "fail") { test = $3; stale = 0; next }
	{ print }
	END { end() }' "$log_dir/$name.results" >"$log_dir/$name.judged"
mv "$log_dir/$name.judged" "$log_dir/$name.results"
report_lane "$name" "$name"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a distribution's kernel with our module on an emulated machine, runs the
# demonstration program in it, and prints what happens. The last line is SUCCESS
# or FAILURE, and the exit status says the same.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=selftests/qemu/lane.sh
. "$repo/selftests/qemu/lane.sh"

[ $# -le 1 ] || usage_error "$self.sh [LANE]"
open_lane "${1-powernv9-6.12}"
ours=$(module_file ours)
stock=$(module_file stock)
[ -x "$programs_dir/demo" ] || die "no ${programs_dir#"$repo/"}/demo"

build_id() {
	powerpc64le-linux-gnu-readelf -n "$1" | sed -n 's/.*Build ID: //p'
}

log=$log_dir/demo-$lane.log
initramfs=$build/initramfs/demo.cpio
# shellcheck disable=SC2046 # a list
"$here/build-initramfs.sh" "$initramfs" "$here/demo-init" ":$here/guest.sh" \
	$(vfio_modules) "modules:$ours" "tests:$programs_dir/demo"

say "booting Linux $(cat "$kernel_dir/release") on $machine in QEMU"
echo
ending=0
"$here/qemu.sh" --machine "$machine" --kernel "$kernel_dir" \
	--initramfs "$initramfs" --log "$log" --live --timeout 120 \
	--append "our_id=$(build_id "$ours") stock_id=$(build_id "$stock")" -- -smp 1 | {
	show=''
	while IFS= read -r line; do
		case $line in
		'guest: transcript') show=yes ;;
		'guest: kernel log: '*) show='' ;;
		'guest: device '*) printf '%-10s %s\n' device "${line#guest: device }" ;;
		'guest: '*) ;;
		*) [ -z "$show" ] || printf '%s\n' "$line" ;;
		esac
	done
} || ending=$?

failed=$(awk -v ending="$ending" -f "$here/ktap.awk" "$log")
if [ -n "$failed" ]; then
	echo
	printf '%s\n' "$failed" | sed 's/^fail lane [^ ]* /    /'
	say "the console is in ${log#"$repo/"}"
	echo FAILURE
	exit 1
fi
echo
echo SUCCESS

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the kernel's kselftest headers out of Debian's linux-source package
# into build/kernels/KERNEL/selftests/. The package is large (150 MB) and is
# not kept. Does nothing when the headers are there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 1 ] || usage_error "$self.sh KERNEL"
kernel=$1
kernel_flavour "$kernel" >/dev/null
dir=$build/kernels/$kernel/selftests
[ -e "$dir/stamp" ] && exit 0

files=(kselftest.h kselftest_harness.h)

debian_check
debs=$build/kernels/$kernel.source
apt_lock
[ -e "$dir/stamp" ] && exit 0
fetch_source "${kernel%%-*}" "$debs"

say "unpacking ${files[*]}"
mkdir -p "$dir"
unpack_source "$debs" -C "$dir" --strip-components=4 "${files[@]/#/*/tools/testing/selftests/}"
rm -r "$debs"
touch "$dir/stamp"

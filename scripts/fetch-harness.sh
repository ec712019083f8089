#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the kernel's kselftest headers out of Debian's linux-source package
# into build/kernels/KERNEL/selftests/, and with "vfio" the kernel's own tests of
# VFIO, beside the headers of tools/include. The package is large (150 MB) and is
# not kept. Does nothing when that is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

case ${2-} in
'' | vfio) ;;
*) usage_error "$self.sh KERNEL [vfio]" ;;
esac
[ $# -ge 1 ] || usage_error "$self.sh KERNEL [vfio]"
kernel=$1
kernel_flavour "$kernel" >/dev/null
dir=$build/kernels/$kernel/selftests
is_there() {
	[ -e "$dir/stamp${2+.$2}" ]
}
is_there "$@" && exit 0

files=('testing/selftests/kselftest.h' 'testing/selftests/kselftest_harness.h')
[ $# = 1 ] || files+=('testing/selftests/vfio/*' 'include/*')

debian_check
debs=$build/kernels/$kernel.source
apt_lock
is_there "$@" && exit 0
fetch_source "${kernel%%-*}" "$debs"

say "unpacking ${files[*]}"
mkdir -p "$dir"
unpack_source "$debs" -C "$dir" --transform='s:^[^/]*/tools/\(testing/selftests/\)\?::' \
	"${files[@]/#/linux-source-*/tools/}"
rm -r "$debs"
touch "$dir/stamp" "$dir/stamp${2+.$2}"

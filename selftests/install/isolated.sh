#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs a command as root of namespaces of its own (user, mounts, processes) in which programs for
# ppc64el run, by QEMU's user emulation. When the command ends, however it ends, nothing is left of
# them: binfmt_misc belongs to the user namespace.
#
# usage: isolated.sh COMMAND...

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

[ $# -gt 0 ] || usage_error "$self.sh COMMAND..."
emulator=$build/target/qemu-ppc64le
[ -x "$emulator" ] || die "no ${emulator#"$repo/"}: run scripts/fetch-qemu-user.sh"
[ "$(id -u)" = 0 ] || die "root is needed for namespaces with all users in them"

# All users are themselves in there, so that the files of a root have their owners. Whoever makes
# such a mapping must be outside: someone in there waits for it.
unshare --user sleep infinity &
holder=$!
# shellcheck disable=SC2064 # now, not later
trap "kill $holder" EXIT
until [ "$(readlink "/proc/$holder/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do
	sleep 0.1
done
echo '0 0 4294967295' >"/proc/$holder/uid_map"
echo '0 0 4294967295' >"/proc/$holder/gid_map"

# Flags of the handler: the emulator is opened here (F), with the credentials of the program (C) and
# the name that it was called by (P, O).
# shellcheck disable=SC2016 # for the inner shell
nsenter --user --target "$holder" --setuid 0 --setgid 0 \
	unshare --mount --pid --fork --kill-child --mount-proc bash -eu -c '
	mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || {
		echo "this kernel has no binfmt_misc for a user namespace: 6.7 or later has" >&2
		exit 1
	}
	magic="\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x15\x00"
	mask="\xff\xff\xff\xff\xff\xff\xff\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\x00"
	printf "%s" ":ppc64le:M::$magic:$mask:$1:OCPF" >/proc/sys/fs/binfmt_misc/register
	shift
	exec "$@"' bash "$emulator" "$@"

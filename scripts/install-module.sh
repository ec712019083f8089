#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the module to updates/ of a kernel's modules, which modprobe prefers to kernel/, or
# removes it from there. Then it says which file modprobe loads from now on, and fails if that is
# the wrong one.
#
# usage: install-module.sh install|remove MODULE.ko KDIR
# with INSTALL_MOD_PATH (the root to install to), STRIP, and KEY and CERT (to sign with) in the
# environment
set -eu

action=$1
module=$2
kdir=$3
root=${INSTALL_MOD_PATH:-}
file=$(basename "$module")
name=${file%.ko}
release=$(cat "$kdir/include/config/kernel.release")
directory=$root/lib/modules/$release/updates
target=$directory/$file
PATH=$PATH:/usr/sbin:/sbin

say()
{
	echo "$action: $*"
}

die()
{
	echo "$action: $*" >&2
	exit 1
}

# Debugging information is nearly all of it, and the kernel does not load that.
put()
{
	mkdir -p "$directory"
	"${STRIP:-strip}" --strip-debug -o "$target.new" "$module"
	[ -z "${KEY:-}" ] || sign "$target.new"
	rm -f "$target".*z* # compressed ones of before
	mv "$target.new" "$target"
}

# Whoever has a key knows of it: without one there is nothing to be said of signatures.
sign()
{
	[ -n "${CERT:-}" ] || die "KEY= wants CERT=, the certificate of the key"
	hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"$/\1/p' "$kdir/include/config/auto.conf")
	"$kdir/scripts/sign-file" "${hash:-sha256}" "$KEY" "$CERT" "$1"
}

# What modprobe would load: a path, or nothing.
loaded_by_modprobe()
{
	modprobe ${root:+-d "$root"} -S "$release" --ignore-install --show-depends "$name" 2>/dev/null |
		sed -n "s|^insmod \([^ ]*/$name\.ko[^ ]*\).*|\1|p" | tail -n 1
}

case $action in
install)
	put
	depmod ${root:+-b "$root"} "$release"
	chosen=$(loaded_by_modprobe)
	[ "$(realpath "${chosen:-/}")" = "$(realpath "$target")" ] ||
		die "$target is there, but modprobe loads ${chosen:-none}"
	say "modprobe loads $chosen"
	;;
remove)
	[ -n "$(find "$directory" -maxdepth 1 -name "$file*" 2>/dev/null)" ] ||
		die "nothing is installed in $directory"
	rm -f "$target" "$target".*z*
	rmdir --ignore-fail-on-non-empty "$directory"
	depmod ${root:+-b "$root"} "$release"
	chosen=$(loaded_by_modprobe)
	say "modprobe loads ${chosen:-none}"
	;;
esac
"$(dirname "$0")/remind.sh" "$release" "$root"

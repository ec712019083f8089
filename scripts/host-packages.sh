#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs on this machine what is missing of some sets of packages; does
# nothing, at once, when nothing is missing.
#
#	build       cross compiler and what kbuild needs for external modules
#	kernel      what a kernel is built with beside these
#	toolchain   what makes the chroot with a newer compiler, where one is needed
#	qemu        QEMU 10 or later with the POWER machines
#	qemu-build  what builds a QEMU
#	host-tests  compilers, GoogleTest and sanitizers for the tests on the host
#	coverage    those, and what makes a table of what they do not reach
#	install     what makes a disk of a system for ppc64el
#	deb         what builds the Debian package and looks at it
#	bench       what draws the plot
#	pc          QEMU with PCs, and what compiles for them
#	docs        what makes pages of Documentation/
#	lint        sparse, clang-format, clang-tidy, shellcheck, man, reuse

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# -gt 0 ] || usage_error "$self.sh build|kernel|toolchain|qemu|qemu-build|host-tests|coverage|install|deb|bench|pc|docs|lint..."

# missing PACKAGE...: those that are not installed, or not new enough
missing() {
	local package version
	for package; do
		# shellcheck disable=SC2016 # dpkg's variables, not the shell's
		version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' \
			"$package" 2>/dev/null) || version=''
		case $version in
		'installed '*) ;;
		*)
			echo "$package"
			continue
			;;
		esac
		if [[ $package = qemu-system-* ]] && dpkg --compare-versions \
			"${version#installed }" lt "$qemu_oldest"; then
			echo "$package"
		fi
	done
}

# The sources to install from: the machine's own of Debian, and the suite with
# the newer QEMU.
set_sources() {
	local uri suite repositories
	repositories=$(debian_repositories)
	uri=$(sed -n "s/ $codename\$//p" <<<"$repositories" | head -n 1)
	apt_root host
	{
		printf '%s\n' "$repositories"
		printf '%s %s\n' "$uri" "$qemu_suite"
	} | sort -u | while read -r uri suite; do
		apt_source "$host_arch" "$suite" "$uri"
	done >"$apt_dir/host/sources.list"
}

# install PACKAGE...: three tries, each with new lists, because a mirror may be
# in the middle of a sync.
install() {
	local try
	for try in 1 2 3; do
		if quietly apt_in host apt-get update -q --error-on=any &&
			quietly apt_in host apt-get install -y --no-remove \
				--no-install-recommends \
				-o DPkg::Lock::Timeout=300 "$@"; then
			apt_in host apt-get clean
			return 0
		fi
		say "that failed (try $try of 3)"
		sleep 5
	done
	die "cannot install: $*"
}

debian_check
wanted=''
for set; do
	packages=$(debian_packages "$set") || die "no such set of packages: $set"
	wanted+=" $packages"
done
# shellcheck disable=SC2086 # a list
lacking=$(missing $wanted | sort -u | xargs)
[ -n "$lacking" ] || exit 0
[ "$(id -u)" = 0 ] || die "root is needed to install: $lacking"

export DEBIAN_FRONTEND=noninteractive
apt_lock
qemu_suite=$(debian_suite qemu)
set_sources
emulators=$(xargs -n 1 <<<"$lacking" | grep '^qemu-system-' | xargs) || true
if [ -n "$emulators" ]; then
	# Whatever else of QEMU is installed depends on the same version.
	# shellcheck disable=SC2016 # dpkg's variables, not the shell's
	others=$(dpkg-query -W -f '${source:Package} ${db:Status-Status} ${Package}\n' |
		sed -n 's/^qemu installed //p')
	say "installing $emulators from $qemu_suite"
	# shellcheck disable=SC2086 # lists
	install -t "$qemu_suite" $emulators $others
	lacking=$(xargs -n 1 <<<"$lacking" | grep -v '^qemu-system-' | xargs) || true
fi
if [ -n "$lacking" ]; then
	say "installing $lacking"
	# shellcheck disable=SC2086 # a list
	install $lacking
fi

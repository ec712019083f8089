#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches one of Debian's ppc64el kernels and lays it out for cross-building
# and booting:
#
#	build/kernels/KERNEL/vmlinux     the boot image
#	build/kernels/KERNEL/release     the kernel's release string
#	build/kernels/KERNEL/config      its configuration
#	build/kernels/KERNEL/modules/    stock modules that tests load or compare
#	build/kernels/KERNEL/headers/    KDIR for external modules
#
# Does nothing when that is there already: remove build/ to get newer ones.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 1 ] || usage_error "$self.sh KERNEL"
kernel=$1
flavour=$(kernel_flavour "$kernel")
case $flavour in
source-*) exec "$repo/scripts/build-kernel.sh" "$kernel" "${flavour#source-}" ;;
esac
dir=$build/kernels/$kernel
# The modules. The stamp names what is here, so that a build/ from before something was added is
# found out. With its headers each kernel has a vmlinux, from which kbuild would make BTF.
modules='vfio vfio_iommu_spapr_tce vfio-pci-core vfio-pci kvm kvm-hv nvme nvme-core nvme-auth nvme-keyring'
contents="$modules headers/vmlinux"
is_there() {
	[ "$(cat "$dir/stamp" 2>/dev/null)" = "$contents" ]
}
is_there && exit 0

# image_parts RELEASE VERSION: the packages which linux-image consists of: newer ones
# have the boot image and the modules in packages that they depend on.
image_parts() {
	echo "linux-image-$1:ppc64el=$2"
	apt_in "$root" apt-cache show "linux-image-$1:ppc64el=$2" | sed -n 's/^Depends: //p' |
		tr ',' '\n' | sed -n "s/^ *\(linux-[^ ]*-$1\) (= .*/\1:ppc64el=$2/p"
}

# The kernel's packages, of the newest version of which all of them exist:
# architectures are not always built at the same time.
resolve() {
	local version release packages
	for version in $(versions "$root" "linux-image-$flavour:ppc64el" "${kernel%%-*}."); do
		release=$(apt_in "$root" apt-cache show "linux-image-$flavour:ppc64el=$version" |
			sed -n 's/^Depends:.* linux-image-\([^ ,]*\).*/\1/p' | head -n 1)
		packages=$(
			image_parts "$release" "$version"
			echo "linux-headers-$release:ppc64el=$version"
			echo "linux-headers-${release%-"$flavour"}-common=$version"
			echo "linux-kbuild-${release%-"$flavour"}:$host_arch=$version"
		)
		# shellcheck disable=SC2086 # a list
		if apt_in "$root" apt-cache show $packages >/dev/null 2>&1; then
			printf '%s\n' "$packages"
			return 0
		fi
	done
	say "no kernel $kernel in $(suites_of "$root")" >&2
	return 1
}

# unpack PACKAGE DIRECTORY PATH...: these paths of a package
unpack() {
	local deb
	deb=$(deb_file "$debs" "$1")
	mkdir -p "$2"
	dpkg --fsys-tarfile "$deb" | tar -x -C "$2" --wildcards "${@:3}"
}

# The boot image and its configuration are in /boot or, of newer kernels, beside
# the modules, and what is called vmlinuz there is not compressed.
boot_image() {
	local deb
	for deb in "$debs"/linux-*_ppc64el.deb; do
		[[ ${deb##*/} == linux-headers-* ]] || dpkg -x "$deb" "$new/image"
	done
	release=$(find "$new/image" -path '*lib/modules/*' -prune -printf '%f\n')
	printf '%s\n' "$release" >"$new/release"
	image_file vmlinux "vmlinux-$release" vmlinuz
	image_file config "config-$release" config
}

# image_file NAME PATTERN...: moves the file of one of these names to build/kernels/KERNEL/NAME
image_file() {
	local name=$1 file
	shift
	for file; do
		file=$(find "$new/image/boot" "$new/image/usr/lib/modules/$release" \
			-maxdepth 1 -type f -name "$file" 2>/dev/null || true)
		[ -n "$file" ] && mv "$file" "$new/$name" && return
	done
	die "no $name in linux-image-$release"
}

stock_modules() {
	local name file
	mkdir "$new/modules"
	for name in $modules; do
		file=$(find "$new/image" -name "$name.ko*")
		case $file in
		*.ko) cp "$file" "$new/modules/" ;;
		*.ko.xz) xz -dc "$file" >"$new/modules/$name.ko" ;;
		'')
			# Not all kernels have KVM, or the last one in a module.
			case $name in
			kvm | kvm-hv | nvme-keyring) ;;
			*) die "no $name in linux-image-$release" ;;
			esac
			;;
		*) die "cannot uncompress $file" ;;
		esac
	done
	rm -r "$new/image"
}

# The headers come in three packages with links between them. linux-kbuild is
# that of the build machine: it has the programs that kbuild runs.
headers() {
	local part
	unpack "linux-headers-$release" "$new" './usr/src/*'
	unpack 'linux-headers-*-common' "$new" './usr/src/*'
	unpack 'linux-kbuild-*' "$new" './usr/lib/linux-kbuild-*'
	mv "$new"/usr/src/linux-headers-*-common "$new/headers-common"
	mv "$new/usr/src/linux-headers-$release" "$new/headers"
	mv "$new"/usr/lib/linux-kbuild-* "$new/kbuild"
	rm -r "${new:?}/usr"
	for part in headers headers-common; do
		ln -sfn ../kbuild/scripts "$new/$part/scripts"
		ln -sfn ../kbuild/tools "$new/$part/tools"
	done
	# Debian's Makefile here includes one by its absolute path and, of newer kernels, says
	# where it is itself.
	grep -q '^include /usr/src/linux-headers-.*-common/Makefile$' "$new/headers/Makefile" ||
		die "linux-headers-$release has a Makefile of an unknown form"
	# shellcheck disable=SC2016 # make's variables, not the shell's
	sed -i -e '1i here := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))' \
		-e "s|^KBUILD_OUTPUT=/usr/src/linux-headers-$release\$|KBUILD_OUTPUT := \$(patsubst %/,%,\$(here))|" \
		-e 's|^include /usr/src/linux-headers-.*-common/Makefile$|include $(here)../headers-common/Makefile|' \
		"$new/headers/Makefile"
}

debian_check
root=kernel-$kernel
debs=$build/kernels/$kernel.debs
new=$build/kernels/$kernel.new
apt_lock
is_there && exit 0
apt_foreign "$root" "$host_arch,ppc64el" "$(debian_suite "$root")"
fetch_debs "$root" "$debs" resolve

rm -rf "$new"
mkdir -p "$new" "$dir"
say "unpacking the boot image and the modules"
boot_image
stock_modules
say "unpacking the headers of $release"
headers
for part in "$new"/*; do
	rm -rf "${dir:?}/${part##*/}"
	mv "$part" "$dir/"
done
rm -r "$new" "$debs"
[ -s "$dir/headers/vmlinux" ] || die "linux-headers-$release has no vmlinux"
echo "$contents" >"$dir/stamp"
say "kernel $release is in ${dir#"$repo/"}"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a user does, in a root of Debian for ppc64el as make-root.sh makes it: run by run.sh, as root of
# that root, with the kernel's release as QEMU_UNAME in the environment, so that uname -r says it. Each
# step prints "ok NAME" or "not ok NAME" with what it said; the state stays for the next stage.
#
# usage: steps.sh missing|client|source|package|removed   (in /root, where src/ and the packages are)
set -eu -o pipefail

stage=$1
cd /root
. /etc/os-release
release=$(uname -r)
module=vfio_iommu_spapr_tce
package=vfio-iommu-spapr-tce
mkdir -p log
export DEBIAN_FRONTEND=noninteractive APT_CONFIG=/root/apt.conf
echo 'APT::Get::Assume-Yes "true";' >$APT_CONFIG

# A condition would keep the shell from ending a step where it fails. On a machine that has more to do, the
# time of the processors tells how long a step is.
step() {
	local started=$SECONDS before result=ok
	before=$(processor_time)
	"$1" >"log/$1" 2>&1 &
	wait $! || result='not ok'
	echo "$result $1 ($((SECONDS - started)) s, of processors $(($(processor_time) - before)) s)"
	[ "$result" = ok ] || tail -n 15 "log/$1" | sed 's/^/    /'
}

# processor_time: that of this shell's children until now, in seconds
processor_time() {
	awk '{ print int(($16 + $17) / 100) }' /proc/$$/stat
}

# has FILE TEXT, has_not FILE TEXT
has() {
	grep -F -e "$2" "$1" || { echo "there is no \"$2\" in $1:" && cat "$1" && return 1; }
}
has_not() {
	! grep -F -e "$2" "$1"
}

# fails COMMAND...: it must, and its output is in log/failed
fails() {
	! "$@" >log/failed 2>&1
}

# readme TEXT: what README.md says for a POWER host in the line that begins with this, word by word
readme() {
	local line
	line=$(sed -n '/^## On a POWER host/,/^## How/s/^    //p' src/README.md | grep -e "^$1")
	echo "\$ $line"
	(cd src && eval "$line")
}

# installs PACKAGE...: what is in the cache is not downloaded; nothing is left half configured
installs() {
	apt-get install -q --allow-downgrades "$@"
	nothing_half_done
}

nothing_half_done() {
	dpkg --audit >log/audit
	[ ! -s log/audit ]
	apt-get -q check
}

# modprobe_loads PLACE [RELEASE]: the file for a kernel is below that place
modprobe_loads() {
	modinfo -k "${2:-$release}" -n "$module" | tee log/chosen
	has log/chosen "/lib/modules/${2:-$release}/$1"
}

no_compiler() {
	fails make -C src
	has log/failed 'install the package g++'
}

no_headers() {
	fails make -C src KERNEL_RELEASE=6.99.1
	has log/failed 'install the package linux-headers-6.99.1'
}

no_kernel_to_serve() {
	fails make -C src KERNEL_RELEASE=6.1.0-1-powerpc64le
	has log/failed 'bookworm-backports'
}

tests_say_where_they_run() {
	fails make -C src demo
	has log/failed 'is for a build machine'
	fails make -C src check
	has log/failed 'is for a build machine'
}

# With all of the root's own compiler.
client_builds() {
	readme 'apt install make g++'
	nothing_half_done
	make -C src/selftests/vfio demo OUTPUT=/root/client
}

# linux-headers have vmlinux, and pahole is there: everything that BTF would be made of.
make_builds() {
	[ -e "/lib/modules/$release/build/vmlinux" ]
	command -v pahole
	readme 'make -j' 2>&1 | tee log/make
	has_not log/make jobserver
	has log/make 'the stock module has vfio_iommu_driver_ops as we declare it'
	readelf -SW "src/build/$release/$module.ko" >log/sections
	has_not log/sections .BTF
}

make_install() {
	readme 'make install' >log/install 2>&1
	has log/install "modprobe loads /lib/modules/$release/updates/$module.ko"
	has_not log/install SSL
	has_not log/install depmod
	modprobe_loads updates/
	ls /usr/local/sbin/{tcestat,tce-trace,tce-trace.bt}
	ls /usr/local/share/man/{man4/vfio_iommu_spapr_tce.4,man8/tcestat.8,man8/tce-trace.8}
	[ "$(stat -c %s "/lib/modules/$release/updates/$module.ko")" -lt 300000 ]
	[ -z "$(modinfo -F signer "$module")" ]
}

make_install_signed() {
	make -C src install KEY=/root/key.pem CERT=/root/certificate.pem
	[ "$(modinfo -F signer "$module")" = tester ]
}

# Its own list of modules, because a whole initramfs takes minutes here.
initramfs_has_ours() {
	cp -a /etc/initramfs-tools/modules log/modules
	echo "$module" >>/etc/initramfs-tools/modules
	make -C src install >log/install 2>&1
	has log/install "update-initramfs -u -k $release"
	sed -i 's/^MODULES=.*/MODULES=list/' /etc/initramfs-tools/initramfs.conf
	: >"/boot/initrd.img-$release" # what is not there is not updated
	update-initramfs -u -k "$release"
	lsinitramfs "/boot/initrd.img-$release" >log/content
	cp -a log/modules /etc/initramfs-tools/modules
	rm "/boot/initrd.img-$release"
	has log/content "updates/$module.ko"
	has_not log/content "kernel/drivers/vfio/$module.ko"
}

make_uninstall() {
	make -C src uninstall | tee log/uninstall
	has log/uninstall "modprobe loads /lib/modules/$release/kernel/drivers/vfio/$module.ko"
	modprobe_loads kernel/drivers/vfio/
	[ -z "$(find /usr/local -type f)" ]
	fails make -C src uninstall
	has log/failed 'nothing is installed'
}

# On a POWER host, too: the same package as the build machine's.
make_deb() {
	readme 'apt install make debhelper'
	nothing_half_done
	readme 'make deb'
	dpkg -c src/build/deb/*.deb >log/here
	dpkg -c "./${package}-dkms_"*.deb >log/there
	diff log/here log/there
}

# Whatever else is installed, it is apt that would fail.
package_cannot_build() {
	installs "./broken/${package}-dkms_"*.deb
	cp log/package_cannot_build log/so_far # grep reads no file that it writes
	has log/so_far "kernel $release keeps its own $module"
	modprobe_loads kernel/drivers/vfio/
}

package_older() {
	installs "./older/${package}-dkms_"*.deb
	modprobe_loads updates/dkms/
	[ "$(modinfo -F version "$module")" = 0.9 ]
}

package_upgrade() {
	readme 'apt install ./build/deb'
	nothing_half_done
	modprobe_loads updates/dkms/
	[ "$(modinfo -F version "$module")" != 0.9 ]
	dkms status -m "$package" >log/status
	has log/status "$release"
	has_not log/status /0.9
	ls /usr/sbin/{tcestat,tce-trace,tce-trace.bt}
	[ ! -e "/usr/src/$package-0.9" ]
}

# The tarball for DKMS of others has what the package has, which was just built; and the licence, which
# Debian has in a place of its own.
tarball() {
	mkdir log/unpacked
	tar -C log/unpacked -xzf "$package"-*.tar.gz
	ls log/unpacked/"$package"-*/LICENSES/GPL-2.0-only.txt
	diff -r -x LICENSES "log/unpacked/$package"-* "/usr/src/$package"-*
}

# new_kernel RELEASE PACKAGE...: it is installed, with its headers; sets new to its whole release
new_kernel() {
	installs "${@:2}"
	new=$(basename "$(find /lib/modules -maxdepth 1 -name "$1")")
}

kernel_64k() {
	local suite=$VERSION_CODENAME
	[ "$suite" != bookworm ] || suite=bookworm-backports
	new_kernel '*-powerpc64le-64k' linux-image-powerpc64le-64k linux-headers-powerpc64le-64k -t "$suite"
	modprobe_loads updates/dkms/ "$new"
}

kernel_7_2() {
	new_kernel '7.*-powerpc64le' ./kernel-7.2/*.deb
	modprobe_loads updates/dkms/ "$new"
}

kernel_6_1_comes() {
	new_kernel '6.1.*-powerpc64le' linux-image-powerpc64le/bookworm linux-headers-powerpc64le/bookworm
	modprobe_loads kernel/drivers/vfio/ "$new"
	cp log/kernel_6_1_comes log/so_far
	has log/so_far "kernel $new keeps its own $module"
	modprobe_loads updates/dkms/
}

kernel_6_1_goes() {
	apt-get purge -q 'linux-image-6.1.*' 'linux-headers-6.1.*' linux-image-powerpc64le linux-headers-powerpc64le
	nothing_half_done
	modprobe_loads updates/dkms/
}

# A kernel for which the build fails is installed all the same.
failed_build_stops_no_kernel() {
	local kbuild new
	new=$(basename /lib/modules/*-64k)
	kbuild=$(echo "/usr/src/$package-"*/Kbuild)
	cp -a "$kbuild" log/Kbuild
	# shellcheck disable=SC2016 # for make
	echo '$(error this build is to fail)' >>"$kbuild"
	dkms remove "$package/$(modinfo -F version "$module")" -k "$new"
	run-parts --report --exit-on-error --arg="$new" /etc/kernel/header_postinst.d 2>&1 | tee log/hook
	cp -a log/Kbuild "$kbuild"
	has log/hook "kernel $new keeps its own $module"
	modprobe_loads kernel/drivers/vfio/ "$new"
}

# What the tarball's users may ask of dkms: a build for each new kernel. Here the configuration excludes one
# that has no module now.
autoinstall_skips_what_is_excluded() {
	local new
	new=$(basename /lib/modules/*-64k)
	printf '%s\n' 'AUTOINSTALL=yes' 'BUILD_EXCLUSIVE_KERNEL="^6\.1\."' >"/etc/dkms/$package.conf"
	dkms autoinstall -k "$new" >log/autoinstall 2>&1
	rm "/etc/dkms/$package.conf"
	has log/autoinstall "was skipped for module(s) $package"
	modprobe_loads kernel/drivers/vfio/ "$new"
}

# The hooks are configuration files: they stay, and do nothing.
package_remove() {
	local kernel
	modprobe_loads updates/dkms/
	apt-get remove -q "$package-dkms"
	nothing_half_done
	run-parts --report --exit-on-error --arg="$release" /etc/kernel/header_postinst.d
	for kernel in /lib/modules/*; do
		modprobe_loads kernel/drivers/vfio/ "${kernel##*/}"
		[ ! -e "$kernel/updates" ]
	done
}

package_purge() {
	apt purge vfio-iommu-spapr-tce-dkms
	nothing_half_done
	[ -z "$(find /etc/kernel /usr/src /var/lib/dkms -name "*$package*")" ]
	[ -z "$(find /usr/sbin -name 'tce*')" ]
}

case $stage-$VERSION_CODENAME in
missing-*) steps='no_compiler no_headers no_kernel_to_serve tests_say_where_they_run' ;;
client-*) steps=client_builds ;;
source-*) steps='make_builds make_install_signed make_install' ;;
package-*)
	steps='initramfs_has_ours make_uninstall make_deb package_cannot_build package_older package_upgrade
		tarball kernel_64k'
	case $VERSION_CODENAME in
	bookworm) steps+=' kernel_6_1_comes kernel_6_1_goes' ;;
	trixie) steps+=' kernel_7_2' ;;
	esac
	;;
removed-bookworm) steps='failed_build_stops_no_kernel package_remove package_purge' ;;
removed-*) steps='failed_build_stops_no_kernel autoinstall_skips_what_is_excluded package_remove package_purge' ;;
esac
for name in $steps; do
	step "$name"
done

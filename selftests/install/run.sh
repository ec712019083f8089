#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the module as a user of Debian does, in a root of that release for ppc64el, in which programs
# run by QEMU's user emulation: make and make install; then the package with DKMS, through an upgrade and
# kernels that come and go; then it is removed. After each of these stages the root is the disk of an
# emulated POWER9, and what modprobe loads there is used. Nothing of it stays on this machine but
# build/install. The last line of output is the count; the exit status is 0 if nothing failed.
#
# usage: run.sh bookworm|trixie

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

usage="$self.sh bookworm|trixie"
[ $# = 1 ] || usage_error "$usage"
release=$1
self=install-$release
here=$repo/selftests/install
root=$build/install/$release
work=$root.work
deb=$build/deb
results=$log_dir/install-$release.results
[ -e "$root.stamp" ] || die "no root: run selftests/install/make-root.sh $release"
[ -x "$build/target/busybox" ] || die "no busybox: run scripts/fetch-busybox.sh"
: >"$results"

# in_root COMMAND...: as root of the root, which keeps its changes until the next run
in_root() {
	# shellcheck disable=SC2016 # for the inner shell
	"$here/isolated.sh" bash -eu -c '
		root=$1 work=$2
		shift 2
		mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work,userxattr" \
			overlay "$work/root"
		"$@"' bash "$root" "$work" "$@"
}

# chroot_run COMMAND...: the same, in a chroot. Of an initramfs after each step we want none: one takes
# minutes.
chroot_run() {
	# shellcheck disable=SC2016 # for the inner shell
	in_root bash -eu -c '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec chroot "$root" "$@"' bash "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		INITRD=No QEMU_UNAME="$kernel" "$@"
}

# results_of COMMAND...: its lines "ok ..." and "not ok ..." are results
results_of() {
	"$@" 2>&1 | tee -a "$results" || echo "not ok $*" | tee -a "$results"
}

# boot STAGE EXPECT: the root as it is now, on a machine
boot() {
	local disk=$work/disk initramfs=$build/initramfs/install-$release.gz log=$log_dir/install-$release-$1.log
	local newest modules status=0
	rm -rf "${work:?}/boot" "$disk"
	mkdir "$work/boot"
	newest=$(in_root sh -c "ls '$work/root/lib/modules' | sort -V | tail -n 1")
	say "booting Debian $release, kernel $newest, $1"
	# shellcheck disable=SC2016 # for the inner shell
	in_root bash -eu -o pipefail -c '
		root=$1 boot=$2 disk=$3 release=$4
		install -m 755 "$5" "$root/root/guest-init"
		cp "$root/boot/vmlinu"[xz]"-$release" "$boot/vmlinux" 2>/dev/null ||
			cp "$root/usr/lib/modules/$release/vmlinuz" "$boot/vmlinux"
		PATH=$PATH:/sbin:/usr/sbin
		for file in $(modprobe -d "$root" -S "$release" -a --show-depends crc32c ext4 nvme |
			sed -n "s/^insmod \([^ ]*\).*/\1/p" | awk "!seen[\$0]++"); do
			name=$(basename "${file%.xz}")
			case $file in
			*.xz) xz -dc "$file" >"$boot/$name" ;;
			*) cp "$file" "$boot/$name" ;;
			esac
			echo "$name"
		done >"$boot/modules.list"
		truncate -s 4G "$disk"
		mke2fs -q -t ext4 -O ^has_journal -d "$root" "$disk"' \
		bash "$work/root" "$work/boot" "$disk" "$newest" "$here/guest-init"
	mapfile -t modules <"$work/boot/modules.list"
	"$repo/selftests/qemu/build-initramfs.sh" "$initramfs" "$here/initramfs-init" \
		":$work/boot/modules.list" "${modules[@]/#/modules:$work/boot/}"
	"$repo/selftests/qemu/qemu.sh" --machine powernv9 --kernel "$work/boot" --initramfs "$initramfs" \
		--log "$log" --timeout 300 --append "expect=$2" -- -smp 2 \
		-drive "if=none,id=root,format=raw,file=$disk" -device nvme,bus=pcie.2,serial=1,drive=root ||
		status=$?
	grep -aE '^(not )?ok |^    ' "$log" | tr -d '\r' | tee -a "$results" || true
	[ "$status" = 0 ] || echo "not ok guest_finishes: status $status, the console is in ${log#"$repo/"}" |
		tee -a "$results"
	rm -f "$disk"
}

# older_package NAME VERSION [LINE]: the package as it would be with an older version, in a directory of that
# name; with a line more in Kbuild
older_package() {
	cp -a "$deb/source" "$work/$1"
	sed -i "s/$version/$2/" "$work/$1/dkms.conf" "$work/$1/debian/changelog" \
		"$work/$1/drivers/vfio/module.c"
	echo "${3-}" >>"$work/$1/Kbuild"
	(cd "$work/$1" && quietly dpkg-buildpackage -us -uc -b -appc64el -d)
	mkdir "$work/upper/root/$1"
	mv "$work"/*.deb "$work/upper/root/$1/"
}

# native_compilers: those of C and C++ that this machine has for ppc64el, of the root's release of Debian,
# with their libraries. They are the same as the root's, with which each build takes ten minutes, for they
# are emulated. Where there are none, the root's own are used. They know the places of a cross compiler.
native_compilers() {
	local from version native=$work/upper/root/native
	case $codename-$release in
	"$release-$release") from=/ ;;
	bookworm-trixie) from=$build/toolchain ;;
	*) return 0 ;;
	esac
	mkdir "$native"
	# shellcheck disable=SC2016 # for the inner shell
	chroot "$from" sh -eu -c '
		cd /
		compiler=$(echo usr/lib*/gcc-cross/powerpc64le-linux-gnu/*/cc1plus)
		ldd "$compiler" | sed -n "s|.*[[:space:]]/\(lib[^ ]*\).*|\1|p" |
			tar -ch "$compiler" "${compiler%plus}" -T -' |
		tar -C "$native" -x --transform='s|^lib|usr/lib|' --transform='s|gcc-cross|gcc|'
	version=$(basename "$native"/usr/lib*/gcc/powerpc64le-linux-gnu/*)
	mkdir -p "$native/usr/powerpc64le-linux-gnu" "$native/usr/include/c++/$version"
	ln -s gcc "$native/usr/lib/gcc-cross"
	ln -s ../include "$native/usr/powerpc64le-linux-gnu/include"
	ln -s "../../powerpc64le-linux-gnu/c++/$version" "$native/usr/include/c++/$version/powerpc64le-linux-gnu"
}

rm -rf "$work"
mkdir -p "$work/root" "$work/work" "$work/upper/root/src"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$repo/dkms.conf")
# shellcheck disable=SC2016 # for make
older_package broken 0.8 '$(error this build is to fail)'
older_package older 0.9
quietly openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=tester -days 30 \
	-keyout "$work/upper/root/key.pem" -out "$work/upper/root/certificate.pem"
debian_check
native_compilers
kernel=$(ls "$root/lib/modules")
git -C "$repo" ls-files -co --exclude-standard | tar -C "$repo" -c -T - | tar -C "$work/upper/root/src" -x --no-same-owner
cp "$deb"/*.deb "$build"/dist/*.tar.gz "$here/steps.sh" "$work/upper/root/"

for stage in source:updates/ package:updates/dkms/ removed:kernel/drivers/vfio/; do
	say "Debian $release: ${stage%%:*}"
	results_of chroot_run /root/steps.sh "${stage%%:*}"
	boot "${stage%%:*}" "${stage#*:}"
done
rm -rf "$work"

passed=$(grep -c '^ok ' "$results" || true)
failed=$(grep -c '^not ok ' "$results" || true)
echo "install-$release: $passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]

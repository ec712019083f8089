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

# in_root COMMAND...: as root of the root, which keeps its changes until the next run. Nobody waits for the
# disk of this machine: what is not written after a crash is made anew.
in_root() {
	# shellcheck disable=SC2016 # for the inner shell
	"$here/isolated.sh" bash -eu -c '
		root=$1 work=$2
		shift 2
		rm -rf "$work/work/work/incompat"
		mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work,userxattr,volatile" \
			overlay "$work/root"
		"$@"' bash "$root" "$work" "$@"
}

# chroot_run COMMAND...: the same, in a chroot, with programs of this machine in the directories of $bound in
# the places of those that are there. Of an initramfs after each step we want none: one takes minutes.
chroot_run() {
	# shellcheck disable=SC2016 # for the inner shell
	in_root bash -eu -c '
		root=$1 bound=$2
		shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		for from in $bound; do
			for file in $(cd "$from" && find . -type f); do
				[ ! -f "$root/$file" ] || [ -L "$root/$file" ] || mount --bind "$from/$file" "$root/$file"
			done
		done
		exec chroot "$root" "$@"' bash "$work/root" "$bound" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root INITRD=No QEMU_UNAME="$kernel" "$@"
}

# results_of COMMAND...: its lines "ok ..." and "not ok ..." are results
results_of() {
	"$@" 2>&1 | tee -a "$results" || echo "not ok $*" | tee -a "$results"
}

# boot STAGE EXPECT: the root as it is now, on a machine
boot() {
	local disk=$work/disk-$1 boot=$work/boot-$1 initramfs=$build/initramfs/install-$release-$1.cpio
	local newest modules
	mkdir "$boot"
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
		# What nobody needs there is half of it.
		for directory in boot usr/src var/cache var/lib/apt; do
			mount -t tmpfs tmpfs "$root/$directory"
		done
		truncate -s 4G "$disk"
		mke2fs -q -t ext4 -O ^has_journal -d "$root" "$disk"' \
		bash "$work/root" "$boot" "$disk" "$newest" "$here/guest-init"
	mapfile -t modules <"$boot/modules.list"
	"$repo/selftests/qemu/build-initramfs.sh" "$initramfs" "$here/initramfs-init" \
		":$boot/modules.list" "${modules[@]/#/modules:$boot/}"
	machine "$1" "$2" &
}

# machine STAGE EXPECT: with that disk, beside the next stage
machine() {
	local disk=$work/disk-$1 log=$log_dir/install-$release-$1.log status=0
	"$repo/selftests/qemu/qemu.sh" --machine powernv9 --kernel "$work/boot-$1" \
		--initramfs "$build/initramfs/install-$release-$1.cpio" \
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

# native DIRECTORY FILE...: copies of programs of this machine, and of their libraries, which go into the root.
# They are of the same release of Debian and do the same; but the root's are emulated, and take fifty
# times as long to start, or ten minutes for a build.
native() {
	mkdir "$1"
	# shellcheck disable=SC2016 # for the inner shell
	chroot "$natives" sh -eu -c '
		cd /
		files=$(ls -d $* 2>/dev/null || true)
		{ echo "$files" && ldd $files 2>/dev/null | sed -n "s|.*[[:space:]]/\(lib[^ ]*\).*|\1|p"; } |
			sort -u | tar -ch -T -' sh "${@:2}" |
		tar -C "$1" -x --transform='s,^\(bin\|sbin\|lib\|lib64\)/,usr/\1/,;s,gcc-cross,gcc,'
	tar -C "$1" -c --remove-files usr/lib/x86_64-linux-gnu usr/lib64 | tar -C "$work/upper" -x
}

# The shell, and what scripts call. Not uname and arch, which say what machine it is; and of what would
# ask the kernel for its release only depmod, which gets a place of its own.
native_programs() {
	mkdir -p "$work/upper/usr/sbin"
	cp -a "$root/usr/bin/kmod" "$work/upper/usr/sbin/depmod"
	# shellcheck disable=SC2046 # a list
	native "$work/programs" sbin/depmod usr/bin/dpkg-{deb,split} $(chroot "$natives" dpkg -L bash coreutils dash \
		diffutils findutils grep gzip make mawk sed tar xz-utils 2>/dev/null |
		sed -n 's|^/\(.*bin/.*\)|\1|p' | grep -vE '/(uname|arch)$')
}

# They know the places of a cross compiler.
native_compilers() {
	local version usr=$work/upper/usr
	native "$work/compilers" "usr/bin/powerpc64le-linux-gnu-*" "usr/lib*/gcc-cross/powerpc64le-linux-gnu/*/cc1*"
	version=$(basename "$work"/compilers/usr/lib*/gcc/powerpc64le-linux-gnu/*)
	mkdir -p "$usr/"{libexec,powerpc64le-linux-gnu,"include/c++/$version"}
	ln -s gcc "$usr/lib/gcc-cross"
	ln -s gcc "$usr/libexec/gcc-cross"
	ln -s ../include "$usr/powerpc64le-linux-gnu/include"
	ln -s "../../powerpc64le-linux-gnu/c++/$version" "$usr/include/c++/$version/powerpc64le-linux-gnu"
}

rm -rf "$work"
rm -f "$log_dir/$self.log"
mkdir -p "$work/"{root,work,upper/root/src}
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$repo/dkms.conf")
# shellcheck disable=SC2016 # for make
older_package broken 0.8 '$(error this build is to fail)'
older_package older 0.9
quietly openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=tester -days 30 \
	-keyout "$work/upper/root/key.pem" -out "$work/upper/root/certificate.pem"
debian_check
programs='' compilers=''
case $codename-$release in
"$release-$release") natives=/ ;;
bookworm-trixie) natives=$build/toolchain ;;
*) natives='' ;; # this machine has none of that release
esac
if [ -n "$natives" ]; then
	programs=$work/programs compilers=$work/compilers
	native_programs
	native_compilers
fi
kernel=$(ls "$root/lib/modules")
git -C "$repo" ls-files -co --exclude-standard | tar -C "$repo" -c -T - | tar -C "$work/upper/root/src" -x --no-same-owner
cp "$deb"/*.deb "$build"/dist/*.tar.gz "$here/steps.sh" "$work/upper/root/"

# stage NAME [EXPECT]: its steps, and then a boot if something is to be loaded
stage() {
	say "Debian $release: $1, $SECONDS s gone"
	results_of chroot_run /root/steps.sh "$1"
	[ $# = 1 ] || boot "$@"
}

bound="$programs $compilers"
stage missing
bound=$programs
stage client
bound="$programs $compilers"
stage source updates/
stage package updates/dkms/
stage removed kernel/drivers/vfio/
wait
# What each step said.
rm -rf "$log_dir/install-$release"
cp -a "$work/upper/root/log" "$log_dir/install-$release"
rm -rf "$work"

passed=$(grep -c '^ok ' "$results" || true)
failed=$(grep -c '^not ok ' "$results" || true)
echo "install-$release: $passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches programs of Debian for ppc64el that run inside of an emulated host, and lays out what they
# need:
#
#	build/target/PROGRAM/bin/
#	build/target/PROGRAM/lib/       its libraries, found by what the files ask for
#	build/target/PROGRAM/lib64/     the dynamic loader
#	build/target/PROGRAM/share/     other files
#
# These are qemu, with the guests' firmware, qemu-img, with qemu-io, qemu-pc: the QEMU of x86, dpdk: testpmd,
# with the driver of its NICs, bpftrace, perf and trace-cmd. Nothing is installed. Does nothing when it is there already.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 1 ] || usage_error "$self.sh qemu|qemu-img|qemu-pc|dpdk|bpftrace|perf|trace-cmd"
program=$1
# Of these packages come the binaries, other files, and libraries that are loaded later: plugins, and what
# glibc ends threads with.
case $program in
qemu)
	wanted=(qemu-system-ppc qemu-system-data)
	binaries=(qemu-system-ppc64)
	shared=(qemu/slof.bin)
	plugins=()
	;;
qemu-img)
	wanted=(qemu-utils)
	binaries=(qemu-img qemu-io)
	shared=()
	plugins=(libgcc_s.so.1)
	;;
qemu-pc)
	wanted=(qemu-system-x86)
	binaries=(qemu-system-x86_64)
	shared=()
	plugins=(libgcc_s.so.1)
	;;
dpdk)
	wanted=(dpdk-dev)
	binaries=(dpdk-testpmd)
	shared=()
	plugins=('librte_net_e1000.so.*' 'librte_mempool_ring.so.*' libgcc_s.so.1)
	;;
bpftrace | trace-cmd)
	wanted=("$program")
	binaries=("$program")
	shared=()
	plugins=()
	;;
perf)
	wanted=(linux-perf)
	binaries=(perf)
	shared=()
	plugins=()
	;;
*) die "no such program: $program" ;;
esac
dir=$build/target/$program
[ -e "$dir/stamp" ] && exit 0

readelf=powerpc64le-linux-gnu-readelf

# What apt would install for the packages where nothing is installed, less what is for compilers. It has to
# take itself for the guest's: what depends on a package for all machines wants that of its own.
resolve() {
	apt_in "$root" apt-get install -qq --simulate --no-install-recommends -t "$suite" \
		-o APT::Architecture=ppc64el "${wanted[@]}" |
		sed -n -e 's/^Inst \([^ ]*\) (\([^ ]*\) .*\[ppc64el\]).*/\1:ppc64el=\2/p' \
			-e 's/^Inst \([^ ]*\) (\([^ ]*\) .*\[all\]).*/\1=\2/p' |
		awk -F '[:=]' -v named=" ${wanted[*]} " '$1 !~ /-dev$/ || index(named, " " $1 " ")'
}

# needed FILE: the libraries that a file asks for
needed() {
	"$readelf" -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# take PATTERN DIRECTORY: a library
take() {
	local file
	file=$(find "$tree" -name "$1" -path '*/powerpc64le-linux-gnu/*' | sort | head -n 1)
	[ -n "$file" ] || die "none of the packages has $1"
	cp -L "$file" "$2/"
}

# take_libraries FILE: those of a file, those of these, and so on
take_libraries() {
	local name
	for name in $(needed "$1"); do
		if [ -e "$new/lib/$name" ] || [ "$name" = ld64.so.2 ]; then
			continue
		fi
		take "$name" "$new/lib"
		take_libraries "$new/lib/$name"
	done
}

debian_check
root=guest-$program
suite=$(debian_suite "$program")
debs=$build/target/$program.debs
tree=$build/target/$program.tree
new=$build/target/$program.new
apt_lock
[ -e "$dir/stamp" ] && exit 0
apt_foreign "$root" ppc64el "$suite" "$(debian_suite plain)"
fetch_debs "$root" "$debs" resolve

rm -rf "$tree" "$new" "$dir"
mkdir -p "$tree" "$new/bin" "$new/lib" "$new/lib64" "$new/share"
for deb in "$debs"/*.deb; do
	# Its links are relative, or lead to files of packages that are not here.
	dpkg --fsys-tarfile "$deb" | tar -x -C "$tree" --exclude=./usr/share/doc
done
cp "${binaries[@]/#/$tree/usr/bin/}" "$new/bin/"
for file in "${shared[@]}"; do
	cp "$tree/usr/share/$file" "$new/share/"
done
take ld64.so.2 "$new/lib64"
for plugin in "${plugins[@]}"; do
	take "$plugin" "$new/lib"
done
mapfile -t files < <(find "$new/bin" "$new/lib" -type f)
for file in "${files[@]}"; do
	take_libraries "$file"
done
rm -r "$tree" "$debs"
mv "$new" "$dir"
touch "$dir/stamp"
say "${binaries[*]} for ppc64el: in ${dir#"$repo/"}"

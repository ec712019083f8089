#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a kernel that Debian does not have, from Debian's source of one that it has, with the
# configuration in selftests/kernels, and lays it out as fetch-kernel.sh does. headers/ is the source
# tree.
#
# Does nothing when that is there already and nothing has changed that it depends on.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$repo/scripts/debian.sh"

[ $# = 2 ] || usage_error "$self.sh KERNEL VERSION"
kernel=$1
version=$2
configs=("$repo/selftests/kernels/common.config" "$repo/selftests/kernels/$kernel.config")
dir=$build/kernels/$kernel
contents=$(cat "$0" "${configs[@]}" | sha256sum)
is_there() {
	[ "$(cat "$dir/stamp" 2>/dev/null)" = "$contents" ]
}
is_there && exit 0

tree=$dir/headers
# The modules; kernels without what a test needs are of no use.
modules='drivers/vfio/vfio drivers/vfio/vfio_iommu_spapr_tce drivers/vfio/pci/vfio-pci-core
drivers/vfio/pci/vfio-pci arch/powerpc/kvm/kvm arch/powerpc/kvm/kvm-hv'

# kernel_make ARGUMENT...
kernel_make() {
	quietly "$repo/scripts/in-toolchain.sh" "$kernel" make -C "$tree" -j"$(nproc)" \
		ARCH=powerpc CROSS_COMPILE=powerpc64le-linux-gnu- "$@"
}

# Without what only other architectures and devices need: that is two thirds of it.
source_tree() {
	local debs=$build/kernels/$kernel.source
	apt_lock
	fetch_source "$version" "$debs"
	exec 9>&-
	say "unpacking the source"
	mkdir "$tree"
	unpack_source "$debs" -C "$tree" --strip-components=1 --exclude="linux-source-$version/arch/[!p]*/*.[chS]" \
		--exclude='*/Documentation/[!K]*' --exclude='*/drivers/gpu/*.[ch]' \
		--exclude='*/drivers/net/*/*.[ch]' --exclude='*/drivers/media/*.[ch]' \
		--exclude='*/sound/*.[ch]' --exclude='*/tools/testing'
	rm -r "$debs"
}

# An interrupt that came while they were disabled is handled later, by a call of its handler from
# within irq_enter(). The handler does that again, so that softirqs which it runs at its end seem
# to run in a hard interrupt still. lockdep complains of that at boot, and stops for good: it is told
# that the outer one is over while the handler runs.
let_lockdep_live() {
	local file=$tree/arch/powerpc/kernel/irq_64.c
	sed -i '/__replay_soft_interrupts(void)$/,/^}/ {
		/next_interrupt/! s/^\t\t\([A-Za-z_]*(&regs);\)$/\t\tlockdep_hardirq_exit();\n\t\t\1\n\t\tlockdep_hardirq_enter();/
	}' "$file"
	[ "$(sed -n '/__replay_soft_interrupts(void)$/,/^}/p' "$file" | grep -c lockdep_hardirq)" = 10 ] ||
		die "linux-source-$version replays interrupts in another way than this script knows"
}

# What is not named is off; what is named has to be taken.
configure() {
	local lost
	cat "${configs[@]}" >"$dir/wanted"
	kernel_make "KCONFIG_ALLCONFIG=$dir/wanted" allnoconfig
	lost=$(grep '^CONFIG_' "$dir/wanted" | grep -vxFf "$tree/.config" || true)
	[ -z "$lost" ] || die "linux-source-$version does not take: $lost"
}

"$repo/scripts/host-packages.sh" build kernel
"$repo/scripts/fetch-toolchain.sh" "$kernel"
debian_check
mkdir -p "$build/kernels"
exec 8>"$build/kernels/$kernel.lock"
flock 8
is_there && exit 0
rm -rf "$dir"
mkdir "$dir" "$dir/modules"
source_tree
let_lockdep_live
say "building it, which takes some minutes"
configure
kernel_make vmlinux modules
for module in $modules; do
	cp "$tree/$module.ko" "$dir/modules/"
done
powerpc64le-linux-gnu-strip -s -o "$dir/vmlinux" "$tree/vmlinux"
cp "$tree/.config" "$dir/config"
cp "$tree/include/config/kernel.release" "$dir/release"
echo "$contents" >"$dir/stamp"
say "kernel $(cat "$dir/release") is in ${dir#"$repo/"}"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# seeded-defects.sh <output directory>: whether the model finds mistakes. Makes one at a time in a copy of the
# sources and plays the corpus of random calls, which has to break off; without a mistake it has to come to its end.
# The last line counts the results.
set -u

output=$(realpath -m "$1")
top=$(realpath "$(dirname "$0")/../..")
copy=$output/copy
program=$output/host/fuzz/fuzz_ioctl
passed=0
failed=0

build() {
	make --no-print-directory -j"$(nproc)" -C "$copy/selftests/host" OUTPUT="$output/host" SANITIZE=-O1 \
		"$program" >"$output/log" 2>&1
}

plays_to_the_end() {
	(cd "$output" && "$program" -runs=0 "$top/selftests/host/corpus") >"$output/log" 2>&1
}

# result NAME COMMAND...
result() {
	local name=$1
	shift
	if "$@"; then
		echo "  PASS    $name"
		passed=$((passed + 1))
	else
		echo "  FAIL    $name"
		failed=$((failed + 1))
		tail -n 20 "$output/log"
	fi
}

breaks_off() {
	build && ! plays_to_the_end && grep -q 'ERROR: libFuzzer: deadly signal' "$output/log"
}

# seed NAME FILE FROM TO: a mistake, once in the file
seed() {
	[ "$(FROM=$3 perl -0ne 'print scalar(() = /\Q$ENV{FROM}\E/g)' "$top/$2")" = 1 ] || {
		echo "$2 has no single: $3"
		exit 1
	}
	FROM=$3 TO=$4 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/' "$copy/$2"
	result "$1" breaks_off
	# With a new time, so that it is compiled again.
	cp "$top/$2" "$copy/$2"
}

rm -rf "$copy"
mkdir -p "$copy"
(cd "$top" && cp -r --parents drivers arch include kernel selftests/host selftests/model "$copy")
build || {
	tail "$output/log"
	exit 1
}
result no_mistake plays_to_the_end
seed a_part_is_unregistered drivers/vfio/memory_registry.cc \
	'if (!place || m_regions[place - 1]->range() != range)' 'if (!place)'
seed a_page_is_not_counted drivers/vfio/mapper.cc \
	'return Result<void>::from_kernel(mm_iommu_mapped_inc(m_region));' 'return {};'
seed kvms_page_is_never_counted_down arch/powerpc/own_tables/kvm_gate.cc 'mm_iommu_mapped_dec(region);' ''
seed kvm_of_a_stranger_is_served arch/powerpc/own_tables/kvm_gate.cc \
	'return m_is_open && glue_current_mm() == m_owner;' 'return m_is_open;'
seed enable_charges_nothing drivers/vfio/container.cc \
	'LockedMemory::charge(m_owner.get(), window)' 'LockedMemory::charge(m_owner.get(), Pages(0))'
seed create_makes_no_default_window drivers/vfio/container.cc \
	'	TRY(create_pending_default_window());

	unsigned int num' '	unsigned int num'
seed a_default_window_comes_back drivers/vfio/container.cc \
	'		m_default_window_pending = false;
		return {};' '		return {};'
seed v1_is_told_of_windows drivers/vfio/container.cc 'm_type == ContainerType::V2);' 'true);'
seed read_and_write_are_one drivers/vfio/requests.cc \
	'direction = TRY(direction_of(data.flags));
	TRY(user.checked_add(size));' 'direction = TRY(direction_of(data.flags | VFIO_DMA_MAP_FLAG_WRITE));
	TRY(user.checked_add(size));'
seed a_failed_map_leaves_entries drivers/vfio/mapper.cc \
	'kcxx::ignore(unmap({ range.first, left.first - range.first }));' ''
seed a_view_is_not_charged arch/powerpc/platforms/powernv/powernv_groups.cc \
	'levels.total_size() +' 'levels.total_size(); (void)'
seed an_unmap_bisects drivers/vfio/container_type1.cc \
	'(m_type == ContainerType::Type1v2 && cuts_mapping(range))' 'false'
seed an_overlap_is_allowed drivers/vfio/container_type1.cc \
	'	if (m_mappings.find(range))
		return Errno::Exists;
' ''
seed a_mapping_keeps_its_charge drivers/vfio/dma_mappings.cc \
	'	kcxx::Owned<DmaMapping> destroyed(&mapping);
' ''
echo "seeded-defects: $passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]

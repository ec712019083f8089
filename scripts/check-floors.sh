#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The floors of the module's source: a file includes headers of its own folder and of lower floors
# only, and calls nothing that is defined elsewhere. The second is read off the objects: those of the
# C glue are the module's; of the C++ code, which is one unit there, each file is compiled by itself.
#
# usage: check-floors.sh OUT   (the module's build directory)

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || usage_error "$self.sh OUT"
out=$(realpath "$1")
cd "$repo"

# From below. Folders of one line are rooms of one floor: none is for the other.
floors='
kernel
include/kcxx
arch/powerpc/glue
arch/powerpc/tce
arch/powerpc/own_tables arch/powerpc/kernel_tables
arch/powerpc/tables
arch/powerpc/platforms/powernv/glue arch/powerpc/platforms/pseries/glue
arch/powerpc/platforms/kernel arch/powerpc/platforms/powernv arch/powerpc/platforms/pseries
arch/powerpc/platforms
drivers/vfio
'

objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

mapfile -t sources < <(find kernel include arch drivers -name '*.[ch]' -o -name '*.cc')
mapfile -t units < <(printf '%s\n' "${sources[@]}" | sed -n 's/\.cc$//p')
mapfile -t glue < <(printf '%s\n' "${sources[@]}" | sed -n '/layout/!s/\.c$//p')

# wanted_headers: FILE, the header that it includes, and the folder of that
wanted_headers() {
	grep -H '^#include "' "${sources[@]}" | sed -n 's|^\([^:]*\):#include "\(.*\)".*|\1 \2|p' |
		while read -r file header; do
			case $header in
			generated/*) continue ;;
			kcxx/*) header=include/$header ;;
			esac
			echo "$file $header $(dirname "$header")"
		done
}

# compile UNIT: as an object of its own, with all inline functions as calls
compile() {
	mkdir -p "$objects/${1%/*}"
	g++ -c -O0 -std=gnu++20 -ffreestanding -fno-exceptions -fno-rtti -I. -Iinclude "-I$out" \
		-o "$objects/$1.o" "$1.cc"
}
export -f compile
export objects out

# symbols FILE OBJECT: the lines of nm, each with the file in front
symbols() {
	nm "$2" | sed "s|^|$1 |"
}

# wanted_symbols: FILE, a symbol that it refers to, and the folder that defines it
wanted_symbols() {
	local unit
	printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -I UNIT bash -c 'compile UNIT'
	{
		for unit in "${units[@]}"; do symbols "$unit.cc" "$objects/$unit.o"; done
		for unit in "${glue[@]}"; do symbols "$unit.c" "$out/$unit.o"; done
	} | awk '
		{ file = $1; folder = file; sub("/[^/]*$", "", folder) }
		$3 ~ /^[TDBR]$/ { home[$4] = folder }
		$2 == "U" { wants[file " " $3] = $3 }
		END { for (want in wants) if (wants[want] in home) print want, home[wants[want]] }'
}

# judge: those of what is wanted that are not to be had
judge() {
	awk '
		NR == FNR { for (i = 1; i <= NF; i++) floor[$i] = NR; next }
		{ folder = $1; sub("/[^/]*$", "", folder) }
		!(folder in floor) { print $1 ": " folder " is on no floor"; next }
		folder != $3 && !($3 in floor && floor[$3] < floor[folder]) {
			print $1 ": " $2 " is in " $3 ", which is not below"
		}' <(printf '%s' "$floors") -
}

wanted_headers >"$objects/headers"
wanted_symbols >"$objects/symbols"
for list in headers symbols; do
	[ -s "$objects/$list" ] || die "there are no $list to look at"
done
findings=$(cat "$objects/headers" "$objects/symbols" | judge)
[ -z "$findings" ] || die "$findings"
say "$(wc -l <"$objects/headers") includes and $(wc -l <"$objects/symbols") calls lead to the same floor or below"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Style and static analysis of what git tracks: clang-format and clang-tidy over the C++ and C
# sources, shellcheck over the scripts, the order of the floors, the licence of each file. The lines of
# the module's sources are counted at the end.
#
# usage: lint.sh OUT   (the module's build directory, for the kernel's layouts)

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || usage_error "$self.sh OUT"
out=$1
cd "$repo"

# The target's tests are aligned by hand, as kselftests are.
mapfile -t sources < <(git ls-files '*.cc' '*.c' '*.h' ':!selftests/vfio' ':!selftests/bench')
say "clang-format over ${#sources[@]} files"
clang-format --dry-run -Werror "${sources[@]}"

mapfile -t units < <(git ls-files 'drivers/*.cc' 'arch/*.cc')
say "clang-tidy over ${#units[@]} files"
clang-tidy --quiet "${units[@]}" -- -std=gnu++20 -fno-exceptions -fno-rtti \
	-I. -Iinclude "-I$out" 2>/dev/null

mapfile -t scripts < <(git ls-files '*.sh' '*-init' .ci/run debian/kernel-hook tools/tcestat tools/tce-trace)
say "shellcheck over ${#scripts[@]} scripts"
shellcheck -x "${scripts[@]}"

scripts/check-floors.sh "$out"

# .reuse/dep5 has the licence of all that can name none itself, so reuse misses none in what can.
bare=$(git grep -L SPDX-License-Identifier -- ':!LICENSES' ':!.reuse' ':!debian' ':!*.patch' ':!*.svg' ':!selftests/host/corpus') || true
[ -z "$bare" ] || die "no SPDX-License-Identifier in: $(xargs <<<"$bare")"
say "reuse: each file has a licence, whose text is in LICENSES"
quietly reuse lint

say "the version in all places, the manual pages, what modinfo says"
selftests/build/test-version.sh "$out/vfio_iommu_spapr_tce.ko"

lines() {
	git ls-files "$@" | xargs cat | wc -l
}
say "no finding; $(lines 'drivers/*.cc' 'drivers/*.h' 'arch/*.cc' 'arch/*.h' 'include/kcxx' ':!*/glue/*') lines of C++," \
	"$(lines 'kernel/*' 'drivers/*.c' '*/glue/*.c' '*/glue/*.h') lines of C glue"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whether `make check` has every pair of what `make check-all` has: of a machine and a kernel, a
# machine and a way of our module, a kernel and a way. Pairs without multi-TCE calls are those of
# check-all itself. Kernels that are built here are for what they find, not for pairs.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

awk '
	$1 == "kernel" { kernel[++kernels] = $2; built[kernels] = $3 ~ /^source-/; next }
	/^#/ || $2 != "lane" { next }
	{
		for (i = 1; i <= kernels; i++) {
			machine = $3
			if (sub("-" kernel[i] "$", "", machine))
				break
		}
		if (i > kernels) {
			print "lane " $3 " has none of the kernels"
			bad = 1
		}
		if (built[i])
			next
		split(machine " " kernel[i] "," machine " " $4 "," kernel[i] " " $4, pair, ",")
		for (p in pair) {
			wanted[pair[p]] = 1
			if ($1 != "check-all")
				had[pair[p]] = 1
		}
	}
	END {
		for (p in wanted)
			if (!(p in had)) {
				print "make check has no lane with " p
				bad = 1
			}
		exit bad || !kernels
	}' "$repo/selftests/lanes"

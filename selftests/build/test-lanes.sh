#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whether `make check` has enough of what `make check-all` has: each program with every machine, every
# kernel and every way of our module; and each of the core programs with every pair of a machine and a
# way or a kernel and a way that check-all has, and with every machine on every kernel. Kernels that are
# built here are for what they find, not for pairs, and so is an hour of random calls.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

cd "$repo/selftests"
awk -v programs="$(basename -s .c vfio/test_*.c | xargs)" '
	# meet WHAT: check-all has that, and check as well if it is so now
	function meet(what) {
		wanted[what] = 1
		if (now)
			had[what] = 1
	}
	$1 == "kernel" { kernel[++kernels] = $2; built[kernels] = $3 ~ /^source-/; next }
	$1 == "core-programs" { for (i = 2; i <= NF; i++) core[$i] = 1; next }
	/^#/ || $2 != "lane" { next }
	{
		for (k = 1; k <= kernels; k++) {
			machine = $3
			if (sub("-" kernel[k] "$", "", machine))
				break
		}
		if (k > kernels) {
			print "lane " $3 " has none of the kernels"
			bad = 1
		}
		if (built[k] || $4 == "model")
			next
		machines[machine]
		way = $4
		n = split(programs, program, " ")
		if (NF > 4)
			n = split($0, program, " ")
		for (i = NF > 4 ? 5 : 1; i <= n; i++) {
			now = $1 != "check-all" && ($1 != "core" || program[i] in core)
			meet(program[i] " on " machine)
			meet(program[i] " on " kernel[k])
			meet(program[i] " with " way)
			if (!(program[i] in core))
				continue
			meet(program[i] " on " $3)
			meet(program[i] " on " machine " with " way)
			meet(program[i] " on " kernel[k] " with " way)
		}
	}
	END {
		for (machine in machines)
			for (k in kernel)
				for (name in core)
					if (!built[k])
						wanted[name " on " machine "-" kernel[k]] = 1
		for (what in wanted)
			if (!(what in had)) {
				print "make check does not have " what
				bad = 1
			}
		exit bad || !kernels
	}' lanes

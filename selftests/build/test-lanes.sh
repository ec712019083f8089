#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whether `make check` has enough of what `make check-all` has: each program with every processor, every
# kernel and every way of our module; and each of the core programs with every pair of a machine and a
# way or a kernel and a way that check-all has, and with every machine on every kernel. And whether
# check-all has each program on every machine, with both kinds of tables where there are two and on every
# kernel, and each of the core programs with every machine on every kernel with both. Kernels that are
# built here are for what they find, not for pairs, and so are random calls.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

cd "$repo/selftests"
awk -v programs="$(basename -s .c vfio/test_*.c | xargs)" '
	# meet WHAT: check or check-all has that
	function meet(what) {
		wanted[what]
		if (set == "check")
			has[what]
	}
	# check_all_needs PROGRAM, WHAT: with our tables, and with those of the kernel if there are two kinds
	function check_all_needs(program, what, kinds, way) {
		for (way in tables)
			if ((kinds == 2 || way == "ours") && !((program " on " what " with " way) in all_has)) {
				print "make check-all does not have " program " on " what " with " way
				bad = 1
			}
	}
	BEGIN {
		tables["ours"]
		tables["kernel-tables"]
	}
	$1 == "kernel" { kernel[++kernels] = $2; built[kernels] = $3 ~ /^source-/; next }
	$1 == "core-programs" { for (i = 2; i <= NF; i++) core[$i]; next }
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
		set = $1
		way = $4
		if (way == "kernel-tables")
			two[machine]
		n = 0
		if (NF == 4 || $5 == "long")
			n = split(programs, program, " ")
		else
			for (i = 5; i <= NF; i++)
				if ($i == "core")
					for (name in core)
						program[++n] = name
				else
					program[++n] = $i
		for (i = 1; i <= n; i++) {
			meet(program[i] " on " kernel[k])
			meet(program[i] " with " way)
			all_has[program[i] " on " machine " with " way]
			all_has[program[i] " on " kernel[k] " with " way]
			all_has[program[i] " on " $3 " with " way]
			if (program[i] in core || machine ~ /^powernv/)
				meet(program[i] " on " machine)
			if (!(program[i] in core))
				continue
			meet(program[i] " on " $3)
			meet(program[i] " on " machine " with " way)
			meet(program[i] " on " kernel[k] " with " way)
		}
	}
	END {
		n = split(programs, program, " ")
		for (k in kernel) {
			if (built[k])
				continue
			for (machine in machines)
				for (name in core) {
					wanted[name " on " machine "-" kernel[k]]
					check_all_needs(name, machine "-" kernel[k], machine in two ? 2 : 1)
				}
			for (i = 1; i <= n; i++)
				check_all_needs(program[i], kernel[k], 2)
		}
		for (machine in machines)
			for (i = 1; i <= n; i++)
				check_all_needs(program[i], machine, machine in two ? 2 : 1)
		for (what in wanted)
			if (!(what in has)) {
				print "make check does not have " what
				bad = 1
			}
		exit bad || !kernels
	}' lanes

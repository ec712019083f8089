#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Holds a built module against the rules that the compiler does not know. Exits 1 when one is
# broken. (The compiler itself refuses a stack frame above 1 KiB.)
#
# The list of expected symbols is that of the kernels which the module is tested on. Of others, whose
# headers may call something else, an unknown symbol is only told.
#
# usage: audit-module.sh tested|other MODULE.ko   with NM and READELF in the environment
set -eu

kernel=$1
module=$2
expected=$(dirname "$0")/expected-symbols
nm=${NM:-nm}
readelf=${READELF:-readelf}
broken=0

# complain RULE LINES: a rule is broken if there are any lines.
complain()
{
	[ -n "$2" ] || return 0
	broken=1
	echo "audit: $1:" >&2
	printf '%s\n' "$2" | sed 's/^/audit:   /' >&2
}

undefined=$($nm -u "$module" | awk '{ print $NF }' | sort -u)
defined=$($nm --defined-only "$module" | awk '{ print $NF }')
sections=$($readelf -SW "$module")

patterns=$(sed 's/[[:space:]]*#.*//; /^$/d' "$expected")
unknown=$(printf '%s\n' "$undefined" | grep -Evx "$patterns" || true)
symbols="$(printf '%s\n' "$undefined" | wc -l) undefined symbols"
if [ "$kernel" = tested ]; then
	complain "undefined symbols outside scripts/expected-symbols" "$unknown"
elif [ -n "$unknown" ]; then
	echo "audit: note: not wanted on the kernels that are tested:" \
		"$(printf '%s\n' "$unknown" | xargs)"
fi
complain "C++ runtime" \
	"$(printf '%s\n' "$undefined" "$defined" |
		grep -E '^(__cxa_|__gxx_|_Unwind_|_Zn[wa]|_Zd[la]|_ZGV)' || true)"
# A sanitizer of the kernel's is called by a constructor of each object, of its own: those of the language are
# told by their names then.
case $undefined in
*__asan_register_globals* | *__tsan_init*) constructors=$(printf '%s\n' "$defined" | grep '^_GLOBAL__sub_' || true) ;;
*) constructors=$(printf '%s\n' "$sections" | grep -oE '\.(init_array|fini_array|ctors|dtors)[^ ]*' || true) ;;
esac
complain "static constructors" "$constructors"
complain "exported symbols" \
	"$(printf '%s\n' "$defined" | grep -E '^__(ksymtab|export_symbol)' || true)"
# Newer kernels refuse to load such a module; older ones look at one of the sections only.
complain "sections of the same name" \
	"$(printf '%s\n' "$sections" | sed -n 's/^ *\[ *[0-9]*\] \([^ ]*\) *PROGBITS .*/\1/p' | sort | uniq -d)"

# Each call of _mcount has to be on the list by which ftrace turns it into a nop, once: an inline
# function that two objects have is there twice, and the second time ftrace finds the nop and
# complains. (Kernels that are built with patchable function entries have no such calls.)
calls=$($readelf -rW "$module" | grep -c 'R_PPC64_REL24 .*_mcount' || true)
listed=$(printf '%s\n' "$sections" | sed -n 's/.* __mcount_loc *PROGBITS *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p')
complain "calls of _mcount that ftrace does not know, or knows twice" \
	"$([ "$calls" = 0 ] || [ "$calls" -eq $((0x0${listed:-0} / 8)) ] ||
		echo "$calls calls, $((0x0$listed / 8)) known")"

[ "$broken" -eq 0 ] || exit 1
echo "audit: $symbols${unknown:+, $(printf '%s\n' "$unknown" | wc -l) of them unknown};" \
	"no C++ runtime, no static constructors, nothing exported, frames up to 1 KiB"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a C header from the lines that DEFINE() of the kernel's <linux/kbuild.h> left in assembly.
#
# usage: layout-header.sh ASSEMBLY > HEADER
set -eu

echo "/* Generated from the kernel's headers. */"
echo "#pragma once"
echo
sed -n 's/^[[:space:]]*\.ascii "->\([A-Za-z0-9_]*\) [$#]*\(-\{0,1\}[0-9]*\) .*/#define \1 \2/p' "$1"

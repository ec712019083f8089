#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The version is in dkms.conf. The build, the packages and the pages of the documentation take it from
# there; what is written by hand says the same. The manual pages have no warning, and that of the module
# has each parameter that modinfo tells of.
#
# usage: test-version.sh MODULE.ko

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

[ $# = 1 ] || usage_error "$self.sh MODULE.ko"
module=$1
cd "$repo"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' dkms.conf)
manual=Documentation/vfio_iommu_spapr_tce.4
failures=0

wrong() {
	say "$*"
	failures=$((failures + 1))
}

[ -n "$version" ] || die "no version in dkms.conf"
[ "$(sed -n 's/^vfio-iommu-spapr-tce (\(.*\)).*/\1/p' debian/changelog | head -n 1)" = "$version" ] ||
	wrong "the first version in debian/changelog is not $version"
[ "$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)" = "$version" ] ||
	wrong "the first version in CHANGELOG.md is not $version"
[ "$(modinfo -F version "$module")" = "$version" ] || wrong "the module is not of version $version"
others=$(grep -noE 'vfio-iommu-spapr-tce(-dkms)?[-_/][0-9.]*[0-9]' README.md Documentation/*.rst |
	grep -v "[-_/]$version\$") || true
[ -z "$others" ] || wrong "not $version: $(xargs <<<"$others")"

# Other names of a page have none of this.
for page in Documentation/*.[0-9]; do
	[ "$(head -n 1 "$page")" != '.so man8/tcestat.8' ] || continue
	grep -q "^\.TH .* \"version $version\"" "$page" || wrong "$page is not of version $version"
	warnings=$(man --warnings -l "$page" 2>&1 >/dev/null)
	[ -z "$warnings" ] || wrong "$warnings"
done

[ -n "$(modinfo -F description "$module")" ] || wrong "modinfo has no description"
for parameter in $(modinfo -F parmtype "$module" | cut -d : -f 1); do
	modinfo -F parm "$module" | grep -q "^$parameter:." || wrong "modinfo does not describe $parameter"
	grep -q "^\.B $parameter$" "$manual" || wrong "$manual has no parameter $parameter"
done

[ "$failures" = 0 ]

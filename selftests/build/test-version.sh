#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The version is in dkms.conf. The build, the packages and the pages of the documentation take it from
# there; what is written by hand says the same. The man page has no warning.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

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
grep -q "^\.TH VFIO_IOMMU_SPAPR_TCE 4 .* \"version $version\"" "$manual" ||
	wrong "$manual is not of version $version"
others=$(grep -noE 'vfio-iommu-spapr-tce(-dkms)?[-_/][0-9.]*[0-9]' README.md Documentation/*.rst |
	grep -v "[-_/]$version\$") || true
[ -z "$others" ] || wrong "not $version: $(xargs <<<"$others")"

warnings=$(man --warnings -l "$manual" 2>&1 >/dev/null)
[ -z "$warnings" ] || wrong "$warnings"

[ "$failures" = 0 ]

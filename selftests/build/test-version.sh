#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The version is in dkms.conf, and the same in all places that want it as a word of their own. The man
# page has no warning.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

cd "$repo"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' dkms.conf)
manual=Documentation/vfio_iommu_spapr_tce.4
failures=0

# has FILE LINE
has() {
	grep -qFx "$2" "$1" || {
		say "$1 has no line: $2"
		failures=$((failures + 1))
	}
}

[ -n "$version" ] || die "no version in dkms.conf"
has drivers/vfio/module.c "MODULE_VERSION(\"$version\");"
has debian/changelog "vfio-iommu-spapr-tce ($version) unstable; urgency=medium"
[ "$(sed -n 's/^vfio-iommu-spapr-tce (\(.*\)).*/\1/p' debian/changelog | head -n 1)" = "$version" ] || {
	say "the first version in debian/changelog is not $version"
	failures=$((failures + 1))
}
grep -q "^\.TH VFIO_IOMMU_SPAPR_TCE 4 .* \"version $version\"" "$manual" || {
	say "$manual is not of version $version"
	failures=$((failures + 1))
}

warnings=$(man --warnings -l "$manual" 2>&1 >/dev/null)
[ -z "$warnings" ] || {
	say "$warnings"
	failures=$((failures + 1))
}

[ "$failures" = 0 ]

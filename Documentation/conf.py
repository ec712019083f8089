# SPDX-License-Identifier: GPL-2.0-only
#
# For Sphinx: make html. The version is that of dkms.conf, as everywhere.
import pathlib
import re

top = pathlib.Path(__file__).resolve().parent.parent
dkms = (top / "dkms.conf").read_text()

project = "vfio_iommu_spapr_tce"
author = "the authors of vfio_iommu_spapr_tce"
copyright = "2026 " + author
version = release = re.search(r'^PACKAGE_VERSION="(.*)"$', dkms, re.MULTILINE).group(1)

# What is for people who come to the repository (README, CONTRIBUTING, CHANGELOG) is Markdown, and part
# of pages here.
extensions = ["myst_parser"]
nitpicky = True
html_theme_options = {"fixed_sidebar": True, "page_width": "75em"}

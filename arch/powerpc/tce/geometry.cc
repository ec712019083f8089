// SPDX-License-Identifier: GPL-2.0-only
#include "arch/powerpc/tce/geometry.h"

namespace tce {

Geometry Geometry::of(iommu_table *table)
{
	glue_table_geometry geometry;

	glue_table_get_geometry(table, &geometry);
	return Geometry(geometry);
}

} /* namespace tce */

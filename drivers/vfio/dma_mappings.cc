// SPDX-License-Identifier: GPL-2.0-only
#include "drivers/vfio/dma_mappings.h"

namespace tce {

void DmaMappings::insert(kcxx::Owned<DmaMapping> mapping)
{
	glue_range_map_insert(&m_map, mapping.release());
	--m_available;
	++m_size;
}

void DmaMappings::remove(DmaMapping &mapping)
{
	kcxx::Owned<DmaMapping> destroyed(&mapping);

	glue_range_map_erase(&m_map, &mapping);
	++m_available;
	--m_size;
}

} /* namespace tce */

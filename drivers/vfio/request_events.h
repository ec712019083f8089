/* SPDX-License-Identifier: GPL-2.0-only */
/* tell(): the event of a request that was decoded, whatever came of it. */
#pragma once

#include "drivers/vfio/requests.h"
#include "kernel/trace.h"

namespace tce {

inline void tell(unsigned int container, const MapRequest &request, const Result<void> &result)
{
	glue_trace_map(container, request.iova.value(), request.size.value(), request.user.value(),
		       static_cast<unsigned int>(request.direction), kcxx::to_errno(result));
}

inline void tell(unsigned int container, const UnmapRequest &request, const Result<void> &result)
{
	glue_trace_unmap(container, request.iova.value(), request.size.value(),
			 kcxx::to_errno(result));
}

inline void tell(unsigned int container, const Type1MapRequest &request, const Result<void> &result)
{
	glue_trace_map(container, request.range.first.value(), request.range.size().value(),
		       request.user.value(), static_cast<unsigned int>(request.direction),
		       kcxx::to_errno(result));
}

inline void tell(unsigned int container, const Type1UnmapRequest &request,
		 const Result<void> &result)
{
	glue_trace_unmap(container, request.range.first.value(), request.range.size().value(),
			 kcxx::to_errno(result));
}

} /* namespace tce */

/* SPDX-License-Identifier: GPL-2.0-only */
/* How the model reads what a call was given. */
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "selftests/model/model.h"

/* A structure's bytes up to the end of a member. */
#define SIZE_UP_TO(type, member) (offsetof(type, member) + sizeof(type::member))

namespace model {

/* Reads the first @size bytes of an argument, which argsz has to cover. */
template <typename T>
long read(T &data, const void *from, Access access, unsigned long size, unsigned int flags)
{
	if (access == Access::None)
		return -EFAULT;
	std::memcpy(&data, from, size);
	return data.argsz < size || data.flags & ~flags ? -EINVAL : 0;
}

} /* namespace model */

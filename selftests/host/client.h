/* SPDX-License-Identifier: GPL-2.0-only */
/* A container as a user has it: calls the driver as the VFIO core does. */
#pragma once

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <linux/vfio.h>

#include "drivers/vfio/entry.h"
#include "fake/kernel.h"

constexpr unsigned long KiB = 1024;
constexpr unsigned long MiB = 1024 * KiB;
constexpr unsigned long GiB = 1024 * MiB;

/* The IOMMU page of default windows. */
constexpr unsigned long page_4k = 4 * KiB;

constexpr unsigned int read_only = VFIO_DMA_MAP_FLAG_READ;
constexpr unsigned int write_only = VFIO_DMA_MAP_FLAG_WRITE;
constexpr unsigned int read_write = read_only | write_only;

/*
 * Which tables the driver uses, those of the kernel's platform code or its own: chosen for the
 * whole run, as the driver does at module load.
 */
inline bool uses_kernel_tables()
{
	const char *tables = std::getenv("HOST_TABLES");

	return tables && !std::strcmp(tables, "kernel");
}

class Client {
public:
	Client() = default;
	Client(const Client &) = delete;
	~Client() { close(); }

	long open(unsigned long type = VFIO_SPAPR_TCE_v2_IOMMU)
	{
		return tce_container_open(type, &m_handle);
	}

	/* Takes all groups out, the last of which ends the container. */
	void close()
	{
		while (!m_groups.empty())
			detach(*m_groups.front());
		if (m_handle)
			tce_container_release(m_handle);
		m_handle = nullptr;
	}

	long attach(iommu_group &group)
	{
		long ret = tce_container_attach_group(m_handle, &group);

		if (!ret)
			m_groups.push_back(&group);
		return ret;
	}

	void detach(iommu_group &group)
	{
		tce_container_detach_group(m_handle, &group);
		std::erase(m_groups, &group);
	}

	long ioctl(unsigned int command, void *argument)
	{
		long ret = tce_container_ioctl(m_handle, command,
					       reinterpret_cast<unsigned long>(argument));

		if (checks_invalidation) {
			for (iommu_group *group : m_groups) {
				if (group->data->uses_old_entries())
					fake::kernel().complain(
						"changed TCEs were not invalidated");
			}
		}
		return ret;
	}

	/* Of a v1 container; their argument is ignored. */
	long enable() { return ioctl(VFIO_IOMMU_ENABLE, nullptr); }
	long disable() { return ioctl(VFIO_IOMMU_DISABLE, nullptr); }

	long map(unsigned long iova, unsigned long user, unsigned long size,
		 unsigned int flags = read_write)
	{
		vfio_iommu_type1_dma_map request = { .argsz = sizeof(request),
						     .flags = flags,
						     .vaddr = user,
						     .iova = iova,
						     .size = size };

		return ioctl(VFIO_IOMMU_MAP_DMA, &request);
	}

	long unmap(unsigned long iova, unsigned long size)
	{
		vfio_iommu_type1_dma_unmap request = {};

		request.argsz = sizeof(request);
		request.iova = iova;
		request.size = size;
		return ioctl(VFIO_IOMMU_UNMAP_DMA, &request);
	}

	long register_memory(unsigned long user, unsigned long size)
	{
		return memory(VFIO_IOMMU_SPAPR_REGISTER_MEMORY, user, size);
	}

	long unregister_memory(unsigned long user, unsigned long size)
	{
		return memory(VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, user, size);
	}

	/* With the start of the window in last_window. */
	long create(unsigned int page_shift, unsigned long size, unsigned int levels = 1)
	{
		vfio_iommu_spapr_tce_create request = {};

		request.argsz = sizeof(request);
		request.page_shift = page_shift;
		request.window_size = size;
		request.levels = levels;

		long ret = ioctl(VFIO_IOMMU_SPAPR_TCE_CREATE, &request);

		last_window = request.start_addr;
		return ret;
	}

	long remove(unsigned long start)
	{
		vfio_iommu_spapr_tce_remove request = {};

		request.argsz = sizeof(request);
		request.start_addr = start;
		return ioctl(VFIO_IOMMU_SPAPR_TCE_REMOVE, &request);
	}

	long get_info(vfio_iommu_spapr_tce_info &info,
		      unsigned int argsz = sizeof(vfio_iommu_spapr_tce_info))
	{
		info.argsz = argsz;
		return ioctl(VFIO_IOMMU_SPAPR_TCE_GET_INFO, &info);
	}

	long eeh(unsigned int operation,
		 unsigned int argsz = offsetof(vfio_eeh_pe_op, op) + sizeof(__u32))
	{
		vfio_eeh_pe_op request = {};

		request.argsz = argsz;
		request.op = operation;
		return ioctl(VFIO_EEH_PE_OP, &request);
	}

	long inject(unsigned int type, unsigned int function, unsigned long address = 0,
		    unsigned long mask = 0)
	{
		vfio_eeh_pe_op request = {};

		request.argsz = sizeof(request);
		request.op = VFIO_EEH_PE_INJECT_ERR;
		request.err.type = type;
		request.err.func = function;
		request.err.addr = address;
		request.err.mask = mask;
		return ioctl(VFIO_EEH_PE_OP, &request);
	}

	void *handle() const { return m_handle; }

	unsigned long last_window = 0;
	/* After each ioctl nothing may be left to invalidate; not so while KVM is at work. */
	bool checks_invalidation = true;

private:
	long memory(unsigned int command, unsigned long user, unsigned long size)
	{
		vfio_iommu_spapr_register_memory request = {};

		request.argsz = sizeof(request);
		request.vaddr = user;
		request.size = size;
		return ioctl(command, &request);
	}

	void *m_handle = nullptr;
	std::vector<iommu_group *> m_groups;
};

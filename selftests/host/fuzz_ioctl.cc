// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random ioctls on two containers, each of v1 or v2, with three groups. Each input is a sequence of
 * calls; whatever they were, nothing may be left at the end.
 */
#include <cstdio>
#include <cstdlib>

#include <fuzzer/FuzzedDataProvider.h>

#include "client.h"
#include "fake/kernel.h"

namespace {

constexpr unsigned long user = 4 * GiB;
constexpr unsigned long huge = 8 * GiB;

class Fuzzer {
public:
	explicit Fuzzer(FuzzedDataProvider &data) : m_data(data)
	{
		tce_module_init(uses_kernel_tables());
		fake::Kernel::set_current(&m_process);
		m_process.mmap(user, MiB);
		m_process.mmap(huge, 4 * MiB, fake::Backing::HugeTlb, 21);
		for (iommu_group *&group : m_groups) {
			group = &m_kernel.add_group();
			group->data->limits.tce32_size = MiB;
		}
		for (Client &client : m_clients)
			client.open(m_data.ConsumeBool() ? VFIO_SPAPR_TCE_IOMMU
							 : VFIO_SPAPR_TCE_v2_IOMMU);
		m_kernel.failures.fail_any(m_data.ConsumeIntegral<unsigned char>());
	}

	~Fuzzer()
	{
		for (Client &client : m_clients)
			client.close();
		tce_module_exit();
		m_kernel.check_balance();
	}

	void call()
	{
		Client &client = m_clients[m_data.ConsumeBool()];
		iommu_group &group = *m_groups[m_data.ConsumeIntegralInRange(0, 2)];

		switch (m_data.ConsumeIntegralInRange(0, 12)) {
		case 0:
			/* As the VFIO core: a group is in one container at most. */
			if (!group.data->tables[0] && !group.data->tables[1] && !owner(group) &&
			    !client.attach(group))
				owner(group) = &client;
			break;
		case 1:
			if (owner(group) == &client) {
				client.detach(group);
				owner(group) = nullptr;
			}
			break;
		case 2:
			client.register_memory(address(), size());
			break;
		case 3:
			client.unregister_memory(address(), size());
			break;
		case 4:
			client.map(iova(), address(), size(), flags());
			break;
		case 5:
			client.unmap(iova(), size());
			break;
		case 6:
			client.create(m_data.ConsumeIntegral<unsigned char>() % 32, size(),
				      m_data.ConsumeIntegralInRange(0u, 6u));
			break;
		case 7:
			client.remove(iova());
			break;
		case 8:
			client.ioctl(m_data.PickValueInArray(
					     { VFIO_IOMMU_SPAPR_TCE_GET_INFO, VFIO_IOMMU_MAP_DMA,
					       VFIO_IOMMU_SPAPR_TCE_CREATE, VFIO_EEH_PE_OP }),
				     raw_argument());
			break;
		case 9:
			client.enable();
			break;
		case 10:
			client.disable();
			break;
		case 11:
			client.eeh(m_data.ConsumeIntegralInRange(0u, 10u));
			break;
		case 12:
			client.inject(m_data.ConsumeIntegralInRange(0u, 2u),
				      m_data.ConsumeIntegralInRange(0u, 20u), iova(), size());
			break;
		}
	}

private:
	Client *&owner(iommu_group &group) { return m_owners[&group]; }

	/* Mostly a few pages from where something is; now and then anything. */
	unsigned long near(unsigned long base)
	{
		if (m_data.ConsumeIntegral<unsigned char>() == 0xff)
			return m_data.ConsumeIntegral<unsigned long>();
		return base + m_data.ConsumeIntegral<unsigned char>() * page_4k;
	}

	unsigned long address() { return near(m_data.PickValueInArray({ user, huge })); }
	unsigned long iova()
	{
		return near(m_data.PickValueInArray({ 0UL, fake::second_window_start }));
	}
	unsigned long size()
	{
		return near(m_data.PickValueInArray({ 0UL, 0UL, MiB, 2 * MiB, 4 * MiB, GiB }));
	}
	unsigned int flags() { return m_data.ConsumeIntegralInRange(1u, 4u); }

	void *raw_argument()
	{
		for (unsigned int &word : m_argument)
			word = m_data.ConsumeIntegral<unsigned int>();
		return m_argument;
	}

	FuzzedDataProvider &m_data;
	fake::Kernel m_kernel{ [](const std::string &what) {
		std::fprintf(stderr, "%s\n", what.c_str());
		std::abort();
	} };
	mm_struct m_process;
	iommu_group *m_groups[3];
	std::map<iommu_group *, Client *> m_owners;
	Client m_clients[2];
	unsigned int m_argument[16];
};

} /* namespace */

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, unsigned long size);

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *bytes, unsigned long size)
{
	FuzzedDataProvider data(bytes, size);
	Fuzzer fuzzer(data);

	while (data.remaining_bytes())
		fuzzer.call();
	return 0;
}

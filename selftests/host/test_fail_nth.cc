// SPDX-License-Identifier: GPL-2.0-only
/*
 * One long run through everything, in which the first, then the second, then the third... call of
 * any function that can fail does fail. The client goes on regardless. Whatever failed, the user
 * is told, and in the end everything is given back.
 */
#include "drivers/vfio/parameters.h"
#include "host_test.h"

namespace {

using fake::Point;

/* What the firmware refuses when something is taken away is nothing that the user could act on. */
bool is_silent(Point point)
{
	return point == Point::UnsetWindow || point == Point::KillPe;
}

struct Course {
	const char *name;
	unsigned long type;
	bool stops_at_failure;
	/* The run is as long as it looks. */
	unsigned long least_calls;
};

void PrintTo(const Course &course, std::ostream *out)
{
	*out << course.name;
}

class FailNth : public testing::TestWithParam<Course> {
protected:
	/* Once, with the @nth call failing. False when there were fewer calls. */
	bool run(unsigned long nth)
	{
		fake::Kernel kernel([nth](const std::string &what) {
			ADD_FAILURE() << what << ", when call " << nth << " failed";
		});
		mm_struct process;

		tce_module_init(uses_kernel_tables());
		tce_type1 = true;
		fake::Kernel::set_current(&process);
		process.mmap(user, 2 * MiB);
		process.mmap(huge, 8 * MiB, fake::Backing::HugeTlb, 21);
		kernel.failures.fail_any(nth);

		bool told = use(kernel);

		tce_type1 = false;
		tce_module_exit();
		kernel.check_balance();

		std::optional<Point> failed = kernel.failures.failed();
		EXPECT_TRUE(told || !failed || is_silent(*failed))
			<< "call " << nth << " failed silently";
		return failed.has_value();
	}

private:
	using Steps = std::vector<std::function<long()>>;

	/* Everything; true if any step failed. */
	bool use(fake::Kernel &kernel)
	{
		iommu_group &group = kernel.add_group();
		iommu_group &second = kernel.add_group();
		Client client;
		bool failed = false;

		group.data->limits.tce32_size = MiB;
		second.data->limits.tce32_size = MiB;

		Steps steps = {
			[&] { return client.open(GetParam().type); },
			[&] { return client.attach(group); },
		};
		Steps more = steps_of(GetParam().type, client, group, second);

		steps.insert(steps.end(), more.begin(), more.end());
		for (const auto &step : steps) {
			if (step())
				failed = true;
			if (failed && GetParam().stops_at_failure)
				break;
		}
		return failed;
	}

	static Steps steps_of(unsigned long type, Client &client, iommu_group &group,
			      iommu_group &second)
	{
		switch (type) {
		case VFIO_SPAPR_TCE_IOMMU:
			return v1_steps(client);
		case VFIO_SPAPR_TCE_v2_IOMMU:
			return v2_steps(client, group, second);
		default:
			return type1_steps(client, group, second);
		}
	}

	static Steps v1_steps(Client &client)
	{
		return {
			[&] { return info(client); },
			[&] { return client.enable(); },
			[&] { return client.map(0, user, MiB); },
			[&] { return client.map(64 * KiB, huge, 128 * KiB, read_only); },
			[&] { return client.unmap(128 * KiB, 256 * KiB); },
			[&] { return client.disable(); },
			[&] { return client.enable(); },
			[&] { return client.map(0, user + MiB, 64 * KiB); },
		};
	}

	static Steps v2_steps(Client &client, iommu_group &group, iommu_group &second)
	{
		return {
			[&] { return client.attach(second); },
			[&] { return client.register_memory(user, MiB); },
			[&] { return client.register_memory(huge, 8 * MiB); },
			[&] { return info(client); },
			[&] { return client.inject(0, 4); },
			[&] { return client.eeh(VFIO_EEH_PE_RESET_HOT); },
			[&] { return client.eeh(VFIO_EEH_PE_RESET_DEACTIVATE); },
			[&] { return client.eeh(VFIO_EEH_PE_UNFREEZE_IO); },
			[&] { return client.map(0, user, 64 * KiB); },
			[&] { return client.remove(0); },
			[&] { return client.create(12, 16 * MiB); },
			[&] { return client.create(12, 64 * MiB, 2); },
			[&] { return client.map(0, user, 64 * KiB); },
			[&] { return client.map(16 * KiB, user + 512 * KiB, 16 * KiB); },
			[&] { return client.map(window, user, MiB, read_only); },
			[&] { return client.unmap(window + 16 * KiB, 64 * KiB); },
			[&] { return client.register_memory(user + MiB, MiB); },
			[&] { return client.map(window, user + MiB - 64 * KiB, 128 * KiB); },
			[&] { return client.detach(second), 0; },
			[&] { return client.unmap(0, 16 * MiB); },
			[&] { return client.map(0, user, 64 * KiB); },
			[&] { return client.attach(second); },
			[&] { return client.remove(window); },
			[&] { return client.create(21, GiB, 2); },
			[&] { return client.map(window, huge, 8 * MiB); },
			[&] { return client.unmap(window, 4 * MiB); },
			[&] { return client.detach(group), 0; },
			[&] { return client.unregister_memory(user + MiB, MiB); },
		};
	}

	static Steps type1_steps(Client &client, iommu_group &group, iommu_group &second)
	{
		return {
			[&] { return type1_info(client); },
			[&] { return client.map(0, user, 256 * KiB); },
			[&] { return client.map(huge, huge, 2 * MiB, read_only); },
			[&] { return client.attach(second); },
			[&] { return client.map(window, user + MiB, 64 * KiB); },
			[&] { return client.unmap(huge, 2 * MiB); },
			[&] { return client.detach(group), 0; },
			[&] { return client.map(4 * GiB, user, 64 * KiB); },
			[&] { return unmap_all(client); },
			[&] { return client.map(0, user, 64 * KiB); },
		};
	}

	static long type1_info(Client &client)
	{
		vfio_iommu_type1_info info = {};

		info.argsz = sizeof(info);
		return client.ioctl(VFIO_IOMMU_GET_INFO, &info);
	}

	static long unmap_all(Client &client)
	{
		vfio_iommu_type1_dma_unmap request = {};

		request.argsz = sizeof(request);
		request.flags = VFIO_DMA_UNMAP_FLAG_ALL;
		return client.ioctl(VFIO_IOMMU_UNMAP_DMA, &request);
	}

	static long info(Client &client)
	{
		vfio_iommu_spapr_tce_info info = {};

		return client.get_info(info);
	}

	static constexpr unsigned long user = 4 * GiB;
	static constexpr unsigned long huge = 8 * GiB;
	static constexpr unsigned long window = fake::second_window_start;
};

TEST_P(FailNth, EveryFailureIsReportedAndUndone)
{
	unsigned long nth = 1;

	while (run(nth))
		++nth;
	EXPECT_GT(nth, GetParam().least_calls);
}

INSTANTIATE_TEST_SUITE_P(Client, FailNth,
			 testing::Values(Course{ "v2_stops", VFIO_SPAPR_TCE_v2_IOMMU, true, 400 },
					 Course{ "v2_goes_on", VFIO_SPAPR_TCE_v2_IOMMU, false,
						 400 },
					 Course{ "v1_stops", VFIO_SPAPR_TCE_IOMMU, true, 25 },
					 Course{ "v1_goes_on", VFIO_SPAPR_TCE_IOMMU, false, 25 },
					 Course{ "type1_stops", VFIO_TYPE1v2_IOMMU, true, 35 },
					 Course{ "type1_goes_on", VFIO_TYPE1v2_IOMMU, false, 35 }),
			 [](const auto &info) { return info.param.name; });

} /* namespace */

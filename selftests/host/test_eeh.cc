// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_EEH_PE_OP: what it asks of the kernel, for which groups, and what it answers. */
#include "host_test.h"

namespace {

class Eeh : public HostTest {
protected:
	void freeze() { group.pe.mmio_frozen = group.pe.dma_frozen = true; }
	long state() { return client.eeh(VFIO_EEH_PE_GET_STATE); }

	static constexpr unsigned int last_operation = VFIO_EEH_PE_INJECT_ERR;
};

TEST_F(Eeh, TheExtensionIsThereIfTheKernelHasIt)
{
	EXPECT_EQ(tce_container_ioctl(nullptr, VFIO_CHECK_EXTENSION, VFIO_EEH), 1);
	kernel.has_eeh = false;
	EXPECT_EQ(tce_container_ioctl(nullptr, VFIO_CHECK_EXTENSION, VFIO_EEH), 0);
}

TEST_F(Eeh, AsksTheKernelForEachOperation)
{
	const struct {
		unsigned int operation;
		const char *call;
	} operations[] = {
		{ VFIO_EEH_PE_DISABLE, "set_option 0" },
		{ VFIO_EEH_PE_ENABLE, "set_option 1" },
		{ VFIO_EEH_PE_UNFREEZE_IO, "set_option 2" },
		{ VFIO_EEH_PE_UNFREEZE_DMA, "set_option 3" },
		{ VFIO_EEH_PE_GET_STATE, "get_state" },
		{ VFIO_EEH_PE_RESET_HOT, "reset 1 1" },
		{ VFIO_EEH_PE_RESET_FUNDAMENTAL, "reset 3 1" },
		{ VFIO_EEH_PE_RESET_DEACTIVATE, "reset 0 1" },
		{ VFIO_EEH_PE_CONFIGURE, "configure" },
	};

	for (const auto &[operation, call] : operations) {
		EXPECT_EQ(client.eeh(operation), 0);
		EXPECT_EQ(group.pe.last_call, call);
	}
	EXPECT_EQ(client.inject(1, 6, 0x123456789abcdef0, 0xfffffffffffff000), 0);
	EXPECT_EQ(group.pe.last_call, "inject 1 6 1311768467463790320 18446744073709547520");
}

TEST_F(Eeh, TellsTheState)
{
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_NORMAL);
	group.pe.dma_frozen = true;
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_STOPPED_DMA);
	group.pe.mmio_frozen = true;
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_STOPPED);
	group.pe.dma_frozen = false;
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_UNAVAIL);
	group.pe.in_reset = true;
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_RESET);
}

TEST_F(Eeh, RecoversFromAnInjectedError)
{
	EXPECT_EQ(client.inject(0, 6), 0);
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_STOPPED);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_UNFREEZE_IO), 0);
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_STOPPED_DMA);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_RESET_HOT), 0);
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_RESET);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_RESET_DEACTIVATE), 0);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_CONFIGURE), 0);
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_NORMAL);
}

TEST_F(Eeh, RefusesUnknownOperations)
{
	for (unsigned int operation : { last_operation + 1, 100u, 1u << 31, ~0u })
		EXPECT_EQ(client.eeh(operation), -EINVAL);
	EXPECT_EQ(group.pe.calls, 0u);
}

/* Only the injection has more to say than what to do. */
TEST_F(Eeh, ArgszCoversWhatIsToBeInjected)
{
	for (unsigned int size = 12; size < sizeof(vfio_eeh_pe_op); ++size)
		EXPECT_EQ(client.eeh(VFIO_EEH_PE_INJECT_ERR, size), -EINVAL) << size;
	EXPECT_EQ(group.pe.calls, 0u);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_INJECT_ERR, sizeof(vfio_eeh_pe_op)), 0);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_INJECT_ERR, 1000), 0);
}

TEST_F(Eeh, UnreadableErrorIsReported)
{
	vfio_eeh_pe_op request = {};

	request.argsz = sizeof(request);
	request.op = VFIO_EEH_PE_INJECT_ERR;
	kernel.protect(reinterpret_cast<char *>(&request) + sizeof(request) - 1, false);
	EXPECT_EQ(client.ioctl(VFIO_EEH_PE_OP, &request), -EFAULT);
	EXPECT_EQ(group.pe.calls, 0u);
}

/* The kernel would print. */
TEST_F(Eeh, D16RefusesUnknownErrorsItself)
{
	for (unsigned int type : { 2u, 100u, ~0u })
		EXPECT_EQ(client.inject(type, 0), -EINVAL);
	for (unsigned int function : { 20u, 100u, ~0u })
		EXPECT_EQ(client.inject(0, function), -EINVAL);
	EXPECT_EQ(group.pe.calls, 0u);
	EXPECT_EQ(client.inject(1, 19), 0);
}

TEST_F(Eeh, AGroupWithoutAPe)
{
	group.has_pe = false;
	for (unsigned int operation = 0; operation < last_operation; ++operation)
		EXPECT_EQ(client.eeh(operation), -ENODEV);
	EXPECT_EQ(client.inject(0, 0), -ENODEV);
}

/* As GET_STATE's, an answer of 0 would be wrong. */
TEST_F(Eeh, NeedsAGroup)
{
	Client other;

	ASSERT_EQ(other.open(), 0);
	EXPECT_EQ(other.eeh(VFIO_EEH_PE_GET_STATE), -ENODEV);
}

TEST_F(Eeh, PassesTheKernelsErrorOn)
{
	for (unsigned int operation = 0; operation < last_operation; ++operation) {
		kernel.failures.fail(fake::Point::Eeh);
		EXPECT_EQ(client.eeh(operation), -EIO);
	}
	kernel.failures.fail(fake::Point::Eeh);
	EXPECT_EQ(client.inject(0, 0), -EIO);
	kernel.failures.fail(fake::Point::AllocArray);
	EXPECT_EQ(state(), -ENOMEM);
}

TEST_F(Eeh, BelongsToOneProcess)
{
	mm_struct stranger;

	register_all();
	fake::Kernel::set_current(&stranger);
	EXPECT_EQ(state(), -EPERM);
	EXPECT_EQ(group.pe.calls, 0u);
}

TEST_F(Eeh, HandleIsOfNoUseAfterTheRelease)
{
	vfio_eeh_pe_op request = {};
	void *handle = client.handle();

	request.argsz = sizeof(request);
	request.op = VFIO_EEH_PE_GET_STATE;
	client.close();
	EXPECT_EQ(tce_container_ioctl(handle, VFIO_EEH_PE_OP,
				      reinterpret_cast<unsigned long>(&request)),
		  -ENODEV);
	EXPECT_EQ(group.pe.calls, 0u);
}

class EehOfTwoGroups : public Eeh {
protected:
	void SetUp() override
	{
		Eeh::SetUp();
		ASSERT_EQ(client.attach(second), 0);
	}

	iommu_group &second = kernel.add_group();
};

TEST_F(EehOfTwoGroups, IsDoneToOneAfterTheOther)
{
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_RESET_HOT), 0);
	EXPECT_TRUE(group.pe.in_reset);
	EXPECT_TRUE(second.pe.in_reset);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_RESET_DEACTIVATE), 0);
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_NORMAL);
}

TEST_F(EehOfTwoGroups, AnyThatIsNotInOrderIsTheAnswer)
{
	second.pe.dma_frozen = true;
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_STOPPED_DMA);
	freeze();
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_STOPPED);
	client.detach(group);
	EXPECT_EQ(state(), VFIO_EEH_PE_STATE_STOPPED_DMA);
}

TEST_F(EehOfTwoGroups, EndsAtTheFirstThatFails)
{
	kernel.failures.fail(fake::Point::Eeh);
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_RESET_HOT), -EIO);
	EXPECT_EQ(second.pe.calls, 0u);
	second.has_pe = false;
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_CONFIGURE), -ENODEV);
}

/* The stock driver goes on along the list of groups that the other thread has taken apart. */
TEST_F(EehOfTwoGroups, D12GroupsCanLeaveInTheMeantime)
{
	long references = 0;

	kernel.at_next(fake::Hook::InEeh, [&] {
		client.detach(group);
		client.detach(second);
		references = second.references;
	});
	EXPECT_EQ(client.eeh(VFIO_EEH_PE_RESET_HOT), 0);
	EXPECT_EQ(references, 2);
	EXPECT_TRUE(second.pe.in_reset);
	EXPECT_EQ(second.references, 1);
}

/*
 * Who unbinds a device holds its lock while the group is taken out of the container. A reset
 * wants that lock: if it had the container's, both would wait for ever.
 */
TEST_F(EehOfTwoGroups, TheContainerCanBeClosedInTheMeantime)
{
	kernel.at_next(fake::Hook::InEeh, [&] { client.close(); });

	vfio_eeh_pe_op request = {};

	request.argsz = sizeof(request);
	request.op = VFIO_EEH_PE_RESET_HOT;
	EXPECT_EQ(tce_container_ioctl(client.handle(), VFIO_EEH_PE_OP,
				      reinterpret_cast<unsigned long>(&request)),
		  0);
	EXPECT_EQ(state(), -ENODEV);
}

} /* namespace */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_EEH_PE_OP. QEMU's PHBs freeze no PE by themselves, whatever a device does, and what
 * VFIO_EEH_PE_INJECT_ERR arms never goes off. Therefore the tests freeze one as the hardware
 * does: they set the PE's bits in the PHB's tables, from where the firmware reads them, through
 * /dev/mem. The emulated device is not stopped by that.
 */
#include "fixture.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE TCE_PAGE_4K

/* Through which a PHB's tables are read and written. */
#define PHB_IODA_ADDRESS	0x220
#define PHB_IODA_DATA		0x228
#define PHB_REGISTERS_SIZE	0x1000
#define IODA_TABLE_SHIFT	48
#define IODA_PESTA		7UL	/* per PE: MMIO is frozen */
#define IODA_PESTB		8UL	/* per PE: DMA is stopped */
#define IODA_PEEV		20UL	/* a bit per PE: there was an error */
#define FIRST_BIT		(1UL << 63)

/* From asm/eeh.h. */
#define ERROR_TYPE_64		1
#define ERROR_LOAD_MEMORY	0
#define ERROR_FUNCTIONS		20

/* The length without the injected error. */
#define OP_SIZE			(offsetof(struct vfio_eeh_pe_op, op) + sizeof(__u32))

static const uint32_t plain_operations[] = {
	VFIO_EEH_PE_DISABLE, VFIO_EEH_PE_ENABLE, VFIO_EEH_PE_UNFREEZE_IO, VFIO_EEH_PE_UNFREEZE_DMA,
	VFIO_EEH_PE_GET_STATE, VFIO_EEH_PE_RESET_HOT, VFIO_EEH_PE_RESET_DEACTIVATE,
	VFIO_EEH_PE_RESET_FUNDAMENTAL, VFIO_EEH_PE_RESET_DEACTIVATE, VFIO_EEH_PE_CONFIGURE,
};

#define FOR_EACH_PLAIN(op)							\
	for (size_t op = 0; op < sizeof(plain_operations) / sizeof(plain_operations[0]); op++)

static int inject(int fd, uint32_t type, uint32_t function)
{
	struct vfio_eeh_pe_op arg = {
		.argsz = sizeof(arg), .op = VFIO_EEH_PE_INJECT_ERR,
		.err = { .type = type, .func = function },
	};

	return spapr_ioctl(fd, VFIO_EEH_PE_OP, &arg);
}

/* --- a PE, frozen from behind ------------------------------------------------------------- */

struct pe {
	unsigned int number;
	volatile uint64_t *registers;	/* of its PHB */
};

static int read_pe_number(const char *device, unsigned int *number)
{
	char path[128];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/eeh_pe_config_addr", device);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fscanf(f, "%x", number);
	fclose(f);
	return n == 1 ? 0 : -EIO;
}

/* The first range of the PHB's node in the device tree. */
static int read_phb_address(const char *device, uint64_t *address)
{
	char path[128];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/pci_bus/%.4s:00/of_node/reg", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, address, sizeof(*address));
	close(fd);
	*address = be64toh(*address);
	return length == sizeof(*address) ? 0 : -EIO;
}

static int pe_open(struct pe *pe, const char *device)
{
	uint64_t address;
	int fd, ret;
	void *p;

	ret = read_pe_number(device, &pe->number);
	if (!ret)
		ret = read_phb_address(device, &address);
	if (ret)
		return ret;
	fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	p = mmap(NULL, PHB_REGISTERS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)address);
	ret = p == MAP_FAILED ? -errno : 0;
	close(fd);
	pe->registers = p;
	return ret;
}

static void pe_close(struct pe *pe)
{
	munmap((void *)pe->registers, PHB_REGISTERS_SIZE);
}

static void write_table(struct pe *pe, uint64_t table, uint64_t index, uint64_t value)
{
	pe->registers[PHB_IODA_ADDRESS / 8] = htobe64(table << IODA_TABLE_SHIFT | index);
	pe->registers[PHB_IODA_DATA / 8] = htobe64(value);
}

static uint64_t read_table(struct pe *pe, uint64_t table, uint64_t index)
{
	pe->registers[PHB_IODA_ADDRESS / 8] = htobe64(table << IODA_TABLE_SHIFT | index);
	return be64toh(pe->registers[PHB_IODA_DATA / 8]);
}

/* Whether the PHB keeps what is written to the tables: QEMU's PHB3 has some of them only. */
static bool pe_can_be_frozen(struct pe *pe)
{
	bool kept;

	write_table(pe, IODA_PESTA, pe->number, FIRST_BIT);
	kept = read_table(pe, IODA_PESTA, pe->number) == FIRST_BIT;
	write_table(pe, IODA_PESTA, pe->number, 0);
	return kept;
}

static void set_error_bit(struct pe *pe, bool error)
{
	write_table(pe, IODA_PEEV, pe->number / 64, error ? FIRST_BIT >> pe->number % 64 : 0);
}

static void pe_freeze(struct pe *pe)
{
	write_table(pe, IODA_PESTA, pe->number, FIRST_BIT);
	write_table(pe, IODA_PESTB, pe->number, FIRST_BIT);
	set_error_bit(pe, true);
}

/* What real hardware does when the firmware takes the other bits back. */
static void pe_forget_error(struct pe *pe)
{
	set_error_bit(pe, false);
}

#define OPEN_PE(pe, device) do {						\
	ASSERT_EQ(0, pe_open(pe, device));					\
	if (!pe_can_be_frozen(pe))						\
		SKIP(pe_close(pe); return, "the PHB keeps no frozen PEs");	\
} while (0)

/* The device of the window's fixture does DMA in both directions. */
#define EXPECT_DMA_WORKS(self) do {						\
	ASSERT_EQ(0, spapr_map((self)->fd, 0, (self)->buffer, PAGE, MAP_RW));	\
	EXPECT_DEVICE_WRITES((self)->edu, 0, (self)->buffer,			\
			     (self)->scratch_iova, (self)->scratch);		\
	EXPECT_DEVICE_READS((self)->edu, 0, (self)->buffer,			\
			    (self)->scratch_iova, (self)->scratch);		\
} while (0)

/* --- what is asked ------------------------------------------------------------------------ */

/* A client that does not ask for the extension is told the same by every operation. */
TEST_F(container, extension_tells_whether_there_is_a_pe)
{
	if (spapr_has_no_eeh(self->s.container)) {
		FOR_EACH_PLAIN(i)
			EXPECT_EQ(-ENODEV, spapr_eeh(self->s.container, plain_operations[i]));
		return;
	}
	EXPECT_EQ(1, spapr_check_extension(self->s.container, VFIO_EEH));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->s.container, VFIO_EEH_PE_GET_STATE));
}

TEST_F(container, extension_is_there_without_a_group)
{
	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	SKIP_WITHOUT_EEH(fd);
	EXPECT_EQ(1, spapr_check_extension(fd, VFIO_EEH));
	close(fd);
}

TEST_F(container, argsz_too_small)
{
	struct vfio_eeh_pe_op arg = {};

	FOR_EACH_PLAIN(i) {
		arg.op = plain_operations[i];
		for (arg.argsz = 0; arg.argsz < OP_SIZE; arg.argsz++)
			EXPECT_EQ(-EINVAL, spapr_ioctl(self->s.container, VFIO_EEH_PE_OP, &arg));
	}
	arg.op = VFIO_EEH_PE_INJECT_ERR;
	for (arg.argsz = 0; arg.argsz < sizeof(arg); arg.argsz++)
		EXPECT_EQ(-EINVAL, spapr_ioctl(self->s.container, VFIO_EEH_PE_OP, &arg));
}

TEST_F(container, unknown_flags)
{
	struct vfio_eeh_pe_op arg = { .argsz = sizeof(arg), .op = VFIO_EEH_PE_GET_STATE };

	for (arg.flags = 1; arg.flags; arg.flags <<= 1)
		EXPECT_EQ(-EINVAL, spapr_ioctl(self->s.container, VFIO_EEH_PE_OP, &arg));
}

TEST_F(container, unknown_operations)
{
	EXPECT_EQ(-EINVAL, spapr_eeh(self->s.container, VFIO_EEH_PE_INJECT_ERR + 1));
	EXPECT_EQ(-EINVAL, spapr_eeh(self->s.container, 100));
	EXPECT_EQ(-EINVAL, spapr_eeh(self->s.container, UINT32_MAX));
}

TEST_F(container, unreadable_argument)
{
	EXPECT_EQ(-EFAULT, spapr_ioctl(self->s.container, VFIO_EEH_PE_OP, NULL));
}

TEST_F(container, another_process)
{
	ASSERT_EQ(0, spapr_register(self->s.container, self->buffer, self->size));
	if (!fork())
		_exit(spapr_eeh(self->s.container, VFIO_EEH_PE_GET_STATE) == -EPERM ? 0 : 1);

	int status;

	wait(&status);
	EXPECT_EQ(0, status);
}

/* --- what is done ------------------------------------------------------------------------- */

TEST_F(window, answers_of_a_pe_in_order)
{
	SKIP_WITHOUT_EEH(self->fd);
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_DISABLE));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_ENABLE));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_UNFREEZE_IO));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_UNFREEZE_DMA));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_CONFIGURE));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_DMA_WORKS(self);
}

TEST_F(window, mappings_survive_a_hot_reset)
{
	SKIP_WITHOUT_EEH(self->fd);
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_RESET_HOT));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh_end_reset(self->fd));
	ASSERT_EQ(0, edu_enable(self->edu));
	EXPECT_DMA_WORKS(self);
}

/* In QEMU the firmware does not find its way back out of an earlier reset of the PHB. */
TEST_F(window, mappings_survive_a_fundamental_reset)
{
	int ret;

	SKIP_WITHOUT_EEH(self->fd);
	ret = spapr_eeh(self->fd, VFIO_EEH_PE_RESET_FUNDAMENTAL);
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_RESET_DEACTIVATE));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	ASSERT_EQ(0, edu_enable(self->edu));
	EXPECT_DMA_WORKS(self);
	if (ret == -EIO)
		SKIP(return, "the firmware refuses a fundamental reset");
	EXPECT_EQ(0, ret);
}

/* As QEMU does for its guest: look, unfreeze to read registers, reset, configure. */
TEST_F(window, frozen_pe_recovers_by_a_reset)
{
	struct pe pe;

	SKIP_WITHOUT_EEH(self->fd);
	OPEN_PE(&pe, self->s.group[0].device);
	EXPECT_DMA_WORKS(self);
	pe_freeze(&pe);
	EXPECT_EQ(VFIO_EEH_PE_STATE_STOPPED, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_EQ(VFIO_EEH_PE_STATE_STOPPED, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_UNFREEZE_IO));
	EXPECT_EQ(VFIO_EEH_PE_STATE_STOPPED_DMA, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_RESET_HOT));
	EXPECT_EQ(VFIO_EEH_PE_STATE_STOPPED, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh_end_reset(self->fd));
	pe_forget_error(&pe);
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	ASSERT_EQ(0, edu_enable(self->edu));
	EXPECT_DMA_WORKS(self);
	pe_close(&pe);
}

TEST_F(window, frozen_pe_is_unfrozen_without_a_reset)
{
	struct pe pe;

	SKIP_WITHOUT_EEH(self->fd);
	OPEN_PE(&pe, self->s.group[0].device);
	pe_freeze(&pe);
	EXPECT_EQ(VFIO_EEH_PE_STATE_STOPPED, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_UNFREEZE_IO));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_UNFREEZE_DMA));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	pe_forget_error(&pe);
	EXPECT_DMA_WORKS(self);
	pe_close(&pe);
}

TEST_F(window, enable_unfreezes)
{
	struct pe pe;

	SKIP_WITHOUT_EEH(self->fd);
	OPEN_PE(&pe, self->s.group[0].device);
	pe_freeze(&pe);
	EXPECT_EQ(VFIO_EEH_PE_STATE_STOPPED, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_ENABLE));
	EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
	pe_forget_error(&pe);
	EXPECT_DMA_WORKS(self);
	pe_close(&pe);
}

/* Any group that is frozen shows, and all are reset. */
TEST_F(window, two_groups)
{
	struct pe pe;

	SKIP_WITHOUT_EEH(self->fd);
	ASSERT_EQ(0, spapr_attach(&self->s, 1));
	ASSERT_EQ(0, spapr_open_device(&self->s, 1));
	for (int i = 0; i < 2; i++) {
		OPEN_PE(&pe, self->s.group[i].device);
		pe_freeze(&pe);
		EXPECT_EQ(VFIO_EEH_PE_STATE_STOPPED, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
		EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_RESET_HOT));
		EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_RESET_DEACTIVATE));
		EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE));
		pe_forget_error(&pe);
		pe_close(&pe);
	}
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, edu_enable(&self->s.edu[i]));
	EXPECT_DMA_WORKS(self);
	EXPECT_DEVICE_WRITES(&self->s.edu[1], 0, self->buffer, self->scratch_iova, self->scratch);
}

/* --- injected errors ---------------------------------------------------------------------- */

TEST_F(window, inject_of_an_unknown_function)
{
	EXPECT_EQ(-EINVAL, inject(self->fd, ERROR_TYPE_64, ERROR_FUNCTIONS));
	EXPECT_EQ(-EINVAL, inject(self->fd, ERROR_TYPE_64, UINT32_MAX));
}

/* The kernel's PowerNV code prints a line for each. */
TEST_F(window, d16_inject_of_an_unknown_type)
{
	EXPECT_EQ(-EINVAL, inject(self->fd, ERROR_TYPE_64 + 1, ERROR_LOAD_MEMORY));
	EXPECT_EQ(-EINVAL, inject(self->fd, UINT32_MAX, ERROR_LOAD_MEMORY));
}

/*
 * The firmware refuses an injection, or arms an error that goes off with the next access of that
 * kind: then the PE is frozen, and recovers by a reset. In QEMU nothing ever goes off.
 */
TEST_F(window, injected_errors_are_recovered_from)
{
	SKIP_WITHOUT_EEH(self->fd);
	for (uint32_t function = ERROR_LOAD_MEMORY; function < ERROR_FUNCTIONS; function++) {
		const int ret = inject(self->fd, ERROR_TYPE_64, function);
		const int enabled = edu_enable(self->edu);
		const int state = spapr_eeh(self->fd, VFIO_EEH_PE_GET_STATE);

		TH_LOG("function %u: %d; access: %d, state %d", function, ret, enabled, state);
		EXPECT_TRUE(!ret || ret == -EIO);
		if (state == VFIO_EEH_PE_STATE_NORMAL)
			continue;
		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, spapr_eeh(self->fd, VFIO_EEH_PE_RESET_HOT));
		EXPECT_EQ(VFIO_EEH_PE_STATE_NORMAL, spapr_eeh_end_reset(self->fd));
	}
	ASSERT_EQ(0, edu_enable(self->edu));
	EXPECT_DMA_WORKS(self);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
#include "vfio_spapr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VFIO_PCI_DRIVER	"/sys/bus/pci/drivers/vfio-pci"

size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static unsigned long read_hex(const char *device, const char *attribute)
{
	unsigned long value = 0;
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), VFIO_PCI_DRIVER "/%s/%s", device, attribute);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%lx", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

static int read_group_number(const char *device)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *name;
	ssize_t length;

	snprintf(path, sizeof(path), VFIO_PCI_DRIVER "/%s/iommu_group", device);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -1;
	target[length] = '\0';
	name = strrchr(target, '/');
	return name ? atoi(name + 1) : -1;
}

int spapr_discover(struct spapr_group *group, int max)
{
	struct dirent **entry;
	int entries, found = 0;

	entries = scandir(VFIO_PCI_DRIVER, &entry, NULL, alphasort);
	for (int i = 0; i < entries; i++) {
		const char *name = entry[i]->d_name;
		int number;

		if (found < max && strlen(name) < sizeof(group->device) &&
		    read_hex(name, "vendor") == EDU_VENDOR_ID &&
		    read_hex(name, "device") == EDU_DEVICE_ID) {
			number = read_group_number(name);
			if (number >= 0) {
				group[found].number = number;
				strcpy(group[found].device, name);
				found++;
			}
		}
		free(entry[i]);
	}
	if (entries >= 0)
		free(entry);
	return found;
}

bool spapr_is_partition(void)
{
	char line[256];
	bool found = false;
	FILE *f;

	f = fopen("/proc/cpuinfo", "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "platform", 8) && strstr(line, "pSeries");
	fclose(f);
	return found;
}

/* The stock driver says that there are some, 2^32 - 1 of them, where there are none. */
bool spapr_has_kernel_tables(void)
{
	FILE *f = fopen("/sys/module/vfio_iommu_spapr_tce/parameters/powernv", "re");
	char mode[16];
	bool kernel;

	/* The stock driver has no such parameter. */
	if (!f)
		return false;
	kernel = fscanf(f, "%15s", mode) == 1 && !strcmp(mode, "kernel");
	fclose(f);
	return kernel;
}

bool spapr_has_dynamic_windows(int container)
{
	struct vfio_iommu_spapr_tce_info info;

	return !spapr_get_info(container, &info) && info.flags & VFIO_IOMMU_SPAPR_INFO_DDW &&
	       info.ddw.max_dynamic_windows_supported <= 2;
}

bool spapr_has_no_eeh(int container)
{
	return spapr_is_partition() && !spapr_check_extension(container, VFIO_EEH);
}

static int write_sysfs(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int spapr_unbind(const struct spapr_group *group)
{
	return write_sysfs("/sys/bus/pci/drivers/vfio-pci/unbind", group->device);
}

int spapr_bind(const struct spapr_group *group)
{
	return write_sysfs("/sys/bus/pci/drivers/vfio-pci/bind", group->device);
}

void spapr_init(struct spapr *s)
{
	s->container = -1;
	for (int i = 0; i < SPAPR_MAX_GROUPS; i++) {
		s->group_fd[i] = -1;
		edu_init(&s->edu[i]);
	}
}

int spapr_attach(struct spapr *s, int index)
{
	char path[64];
	int ret;

	if (s->group_fd[index] < 0) {
		snprintf(path, sizeof(path), "/dev/vfio/%d", s->group[index].number);
		s->group_fd[index] = open(path, O_RDWR | O_CLOEXEC);
		if (s->group_fd[index] < 0)
			return -errno;
	}
	ret = ioctl(s->group_fd[index], VFIO_GROUP_SET_CONTAINER, &s->container);
	return ret < 0 ? -errno : ret;
}

int spapr_detach(struct spapr *s, int index)
{
	int ret;

	edu_close(&s->edu[index]);
	ret = ioctl(s->group_fd[index], VFIO_GROUP_UNSET_CONTAINER);
	return ret < 0 ? -errno : ret;
}

int spapr_open_device(struct spapr *s, int index)
{
	return edu_open(&s->edu[index], s->group_fd[index], s->group[index].device);
}

static int open_range(struct spapr *s, unsigned long type, int first, int end)
{
	int ret;

	spapr_init(s);
	if (spapr_discover(s->group, SPAPR_MAX_GROUPS) < end)
		return -ENODEV;
	s->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (s->container < 0)
		return -errno;
	for (int i = first; i < end; i++) {
		ret = spapr_attach(s, i);
		if (!ret && i == first)
			ret = spapr_set_iommu(s->container, type);
		if (ret) {
			spapr_close(s);
			return ret;
		}
	}
	return 0;
}

int spapr_open(struct spapr *s, int groups)
{
	return open_range(s, VFIO_SPAPR_TCE_v2_IOMMU, 0, groups);
}

int spapr_open_group(struct spapr *s, int index)
{
	return open_range(s, VFIO_SPAPR_TCE_v2_IOMMU, index, index + 1);
}

int spapr_open_v1(struct spapr *s, int index)
{
	return open_range(s, VFIO_SPAPR_TCE_IOMMU, index, index + 1);
}

int spapr_open_type1(struct spapr *s, int groups, unsigned long type)
{
	return open_range(s, type, 0, groups);
}

void spapr_close(struct spapr *s)
{
	for (int i = 0; i < SPAPR_MAX_GROUPS; i++) {
		edu_close(&s->edu[i]);
		if (s->group_fd[i] >= 0)
			close(s->group_fd[i]);
	}
	if (s->container >= 0)
		close(s->container);
	spapr_init(s);
}

int spapr_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int spapr_check_extension(int container, unsigned long extension)
{
	return spapr_ioctl(container, VFIO_CHECK_EXTENSION, (void *)extension);
}

int spapr_set_iommu(int container, unsigned long type)
{
	return spapr_ioctl(container, VFIO_SET_IOMMU, (void *)type);
}

int spapr_get_info(int container, struct vfio_iommu_spapr_tce_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	return spapr_ioctl(container, VFIO_IOMMU_SPAPR_TCE_GET_INFO, info);
}

int spapr_enable(int container)
{
	return spapr_ioctl(container, VFIO_IOMMU_ENABLE, NULL);
}

int spapr_disable(int container)
{
	return spapr_ioctl(container, VFIO_IOMMU_DISABLE, NULL);
}

int spapr_register(int container, const void *start, size_t size)
{
	struct vfio_iommu_spapr_register_memory arg = {
		.argsz = sizeof(arg), .vaddr = (uintptr_t)start, .size = size,
	};

	return spapr_ioctl(container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY, &arg);
}

int spapr_unregister(int container, const void *start, size_t size)
{
	struct vfio_iommu_spapr_register_memory arg = {
		.argsz = sizeof(arg), .vaddr = (uintptr_t)start, .size = size,
	};

	return spapr_ioctl(container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, &arg);
}

int spapr_map(int container, uint64_t iova, const void *start, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg), .flags = flags, .vaddr = (uintptr_t)start,
		.iova = iova, .size = size,
	};

	return spapr_ioctl(container, VFIO_IOMMU_MAP_DMA, &arg);
}

int spapr_unmap(int container, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .iova = iova, .size = size,
	};

	return spapr_ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg);
}

int spapr_create(int container, uint32_t page_shift, uint64_t size, uint32_t levels,
		 uint64_t *start)
{
	struct vfio_iommu_spapr_tce_create arg = {
		.argsz = sizeof(arg), .page_shift = page_shift, .window_size = size,
		.levels = levels,
	};
	int ret = spapr_ioctl(container, VFIO_IOMMU_SPAPR_TCE_CREATE, &arg);

	if (start)
		*start = arg.start_addr;
	return ret;
}

int spapr_remove(int container, uint64_t start)
{
	struct vfio_iommu_spapr_tce_remove arg = {
		.argsz = sizeof(arg), .start_addr = start,
	};

	return spapr_ioctl(container, VFIO_IOMMU_SPAPR_TCE_REMOVE, &arg);
}

int spapr_eeh(int container, uint32_t operation)
{
	struct vfio_eeh_pe_op arg = {
		.argsz = offsetof(struct vfio_eeh_pe_op, op) + sizeof(arg.op), .op = operation,
	};

	return spapr_ioctl(container, VFIO_EEH_PE_OP, &arg);
}

int spapr_eeh_end_reset(int container)
{
	int ret = spapr_eeh(container, VFIO_EEH_PE_RESET_DEACTIVATE);

	if (!ret)
		ret = spapr_eeh(container, VFIO_EEH_PE_CONFIGURE);
	return ret ? ret : spapr_eeh(container, VFIO_EEH_PE_GET_STATE);
}

uint32_t spapr_possible_levels(const struct vfio_iommu_spapr_tce_info *info, uint32_t page_shift)
{
	const uint32_t index_bits = (uint32_t)__builtin_ctzl(page_size() / sizeof(uint64_t));
	const uint32_t possible = (54 - page_shift) / index_bits;

	return possible < info->ddw.levels ? possible : info->ddw.levels;
}

uint64_t spapr_leaf_reach(void)
{
	return page_size() / sizeof(uint64_t) * TCE_PAGE_4K;
}

uint32_t spapr_levels(uint32_t wanted)
{
	return spapr_is_partition() ? 1 : wanted;
}

int spapr_create_at_0(int container, uint64_t size, uint32_t levels)
{
	struct vfio_iommu_spapr_tce_info info;
	uint64_t start;
	int ret;

	if (spapr_is_partition() && !spapr_has_dynamic_windows(container) &&
	    !spapr_get_info(container, &info))
		size = info.dma32_window_size;
	ret = spapr_remove(container, 0);
	if (!ret)
		ret = spapr_create(container, TCE_SHIFT_4K, size, spapr_levels(levels), &start);
	if (!ret && start)
		ret = -ERANGE;
	return ret;
}

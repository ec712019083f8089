// SPDX-License-Identifier: GPL-2.0-only
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PARAMETER_FILE	"/sys/module/" MODULE "/parameters/powernv"

void module_parameters(char *parameters, size_t size)
{
	FILE *file = fopen(PARAMETER_FILE, "r");
	char mode[16];

	parameters[0] = '\0';
	if (!file)
		return;
	if (fscanf(file, "%15s", mode) == 1)
		snprintf(parameters, size, "powernv=%s", mode);
	fclose(file);
}

int module_unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

int module_load(const char *parameters)
{
	int fd = open(MODULE_FILE, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return ret;
}

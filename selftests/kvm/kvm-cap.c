// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit status 0 if KVM can write TCEs into the tables of VFIO's containers
 * (KVM_CAP_SPAPR_TCE_VFIO), 1 if it cannot.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR);
	int can;

	if (kvm < 0) {
		perror("/dev/kvm");
		return 1;
	}
	can = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_SPAPR_TCE_VFIO);
	printf("KVM_CAP_SPAPR_TCE_VFIO: %d\n", can);
	return can != 1;
}

# SPDX-License-Identifier: GPL-2.0-only
#
# On a POWER host: make, make install. Anywhere else the module is cross-built and tested on an
# emulated machine: make demo, make check. `make help` lists all.

SRC := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
BUILD := $(SRC)/build
MODULE := vfio_iommu_spapr_tce.ko

# The kernels that the module is tested on, and the lanes that test it: <machine>-<kernel>.
KERNELS := $(shell awk '$$1 == "kernel" { print $$2 }' $(SRC)/selftests/lanes 2>/dev/null)
LANES := $(shell awk '/^[^\043]/ && $$2 == "lane" && !seen[$$3]++ { print $$3 }' $(SRC)/selftests/lanes 2>/dev/null)
# The kernels that are built here, to look for mistakes.
BUILT := $(shell awk '$$1 == "kernel" && $$3 ~ /^source-/ { print $$2 }' $(SRC)/selftests/lanes 2>/dev/null)
# Those of QEMU guests in an emulated host that make check has.
KVM_LANES := $(shell awk '/^[^\043]/ && $$2 == "kvm" && $$1 != "check-all" { print $$3 }' $(SRC)/selftests/lanes 2>/dev/null)

V ?= 0
Q := $(if $(filter 0,$(V)),@)

# --- which kernel, with which tools ------------------------------------------------------------
# KERNEL=: one of the distribution kernels above, cross-built on this machine.
# KDIR=: any kernel tree, with ARCH and CROSS_COMPILE as that tree wants them.
# Neither: the running kernel on a POWER host, elsewhere the first of the kernels above.
NATIVE := $(filter ppc64 ppc64le,$(shell uname -m))
ifdef DEFECT
LANE := $(shell awk '$$1 == "$(DEFECT)" { print $$2 }' $(SRC)/selftests/defects)
endif
ifdef LANE
KERNEL ?= $(strip $(foreach k,$(KERNELS),$(if $(filter %-$(k),$(LANE)),$(k))))
endif
# The sources in a package name no kernels, and are packed on any machine.
ifneq ($(if $(KDIR)$(NATIVE),,$(KERNELS)),)
KERNEL ?= $(firstword $(KERNELS))
endif

ifdef KERNEL
ifeq ($(filter $(KERNEL),$(KERNELS)),)
$(error KERNEL=$(KERNEL) is not one of: $(KERNELS))
endif
CROSS := powerpc64le-linux-gnu-
OUT := $(BUILD)/$(KERNEL)
KDIR := $(BUILD)/kernels/$(KERNEL)/headers
STOCK_DIR := $(BUILD)/kernels/$(KERNEL)/modules
KBUILD_ARGS := ARCH=powerpc CROSS_COMPILE=$(CROSS)
else
CROSS := $(CROSS_COMPILE)
ifdef KDIR
OUT := $(BUILD)/$(subst /,_,$(patsubst /%,%,$(abspath $(KDIR))))
else
KERNEL_RELEASE ?= $(shell uname -r)
KDIR := /lib/modules/$(KERNEL_RELEASE)/build
OUT := $(BUILD)/$(KERNEL_RELEASE)
STOCK_DIR := /lib/modules/$(KERNEL_RELEASE)/kernel
endif
endif
# pahole, which makes a module's BTF, knows no C++. And a module with BTF that was made by an older pahole
# does not load any more when the kernel is built anew under the same name, as an update of it may be.
KBUILD_ARGS += CONFIG_DEBUG_INFO_BTF_MODULES=
KBUILD := $(if $(KERNEL),$(SRC)/scripts/in-toolchain.sh $(KERNEL)) \
	$(MAKE) --no-print-directory -C $(KDIR) M=$(OUT) TCE_SRC=$(SRC) V=$(V) $(KBUILD_ARGS)

# What boots emulated machines has its tools and kernels for one that cross-builds.
EMULATED := demo reproduce bench bench-pc check check-all check-qemu check-kvm check-dpdk check-type1 check-qemu-img \
	check-qemu-pc check-tracers check-install
ifdef NATIVE
ifneq ($(filter $(EMULATED),$(MAKECMDGOALS)),)
$(error make $(firstword $(filter $(EMULATED),$(MAKECMDGOALS))) is for a build machine: Debian 12 or 13 \
on a processor that is not POWER. Here there are make, make install, make check-host)
endif
endif

module:

# --- the module --------------------------------------------------------------------------------
.PHONY: module kernel headers mistakes install uninstall
module: $(if $(KERNEL),kernel,$(if $(KERNEL_RELEASE),headers)) $(if $(filter $(KERNEL),$(BUILT)),mistakes)
	@mkdir -p $(OUT)
	@ln -sfn $(SRC)/Kbuild $(OUT)/Kbuild
	$(Q)+$(KBUILD) modules
	$(Q)NM=$(CROSS)nm READELF=$(CROSS)readelf $(SRC)/scripts/audit-module.sh \
		$(if $(KERNEL),tested,other) $(OUT)/$(MODULE)
ifdef STOCK_DIR
	$(Q)READELF=$(CROSS)readelf $(SRC)/scripts/verify-driver-ops.sh \
		$(STOCK_DIR) $(OUT)/generated/kernel_layout.h
endif

kernel:
	$(Q)$(SRC)/scripts/host-packages.sh build
	$(Q)$(SRC)/scripts/fetch-kernel.sh $(KERNEL)
	$(Q)$(SRC)/scripts/fetch-toolchain.sh $(KERNEL)

headers:
	$(Q)$(SRC)/scripts/check-headers.sh $(KERNEL_RELEASE)

# A module that makes those, and shows that the kernel finds them.
MISTAKES := $(BUILD)/mistakes/$(KERNEL)
mistakes: kernel
	@mkdir -p $(MISTAKES)
	@ln -sfn $(wildcard $(SRC)/selftests/kernels/mistakes/*) $(MISTAKES)
	$(Q)+$(subst M=$(OUT),M=$(MISTAKES),$(KBUILD)) modules

# Into updates/, which modprobe prefers to the kernel's own modules. With KEY= and CERT= it is signed.
# The tools and the manual pages are for all kernels.
TOOLS := $(addprefix tools/,tcestat tce-trace tce-trace.bt)
MANUALS := $(addprefix Documentation/,vfio_iommu_spapr_tce.4 tcestat.8 tce-trace.8 tce-trace.bt.8)
LOCAL = $(INSTALL_MOD_PATH)/usr/local
LOCAL_install = cd $(SRC) && install -D -t $(LOCAL)/sbin $(TOOLS) && for page in $(MANUALS); do \
	install -D -m 644 -t $(LOCAL)/share/man/man$${page\#\#*.} $$page || exit 1; done
LOCAL_uninstall = rm -f $(TOOLS:tools/%=$(LOCAL)/sbin/%) $(MANUALS:Documentation/%=$(LOCAL)/share/man/man?/%)
INSTALL_MODULE = INSTALL_MOD_PATH=$(INSTALL_MOD_PATH) STRIP=$(CROSS)strip KEY=$(KEY) CERT=$(CERT) \
	$(SRC)/scripts/install-module.sh $(1) $(OUT)/$(MODULE) $(KDIR)
install: module
install uninstall:
ifeq ($(NATIVE)$(INSTALL_MOD_PATH),)
	$(error this is no POWER host: say where to with INSTALL_MOD_PATH=)
endif
	$(Q)$(call INSTALL_MODULE,$(if $(filter install,$@),install,remove))
	$(Q)$(LOCAL_$@)

# --- packages ----------------------------------------------------------------------------------
# What the module is built from and installed with, and nothing else.
.PHONY: dkms-tree dist deb
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"$$/\1/p' $(SRC)/dkms.conf)
DKMS_NAME := vfio-iommu-spapr-tce-$(VERSION)
DKMS_FILES := Makefile Kbuild dkms.conf drivers arch include kernel $(TOOLS) $(MANUALS) scripts/expected-symbols \
	$(patsubst %,scripts/%.sh,audit-module check-headers check-kernel install-module \
		layout-header remind verify-driver-ops)
dkms-tree:
	$(Q)mkdir -p $(DESTDIR)/$(DKMS_NAME)
	$(Q)tar -C $(SRC) -c $(DKMS_FILES) | tar -C $(DESTDIR)/$(DKMS_NAME) -x --no-same-owner

dist:
	@mkdir -p $(BUILD)/dist
	$(Q)tar -C $(SRC) -c --sort=name --owner=0 --group=0 --numeric-owner \
		--mtime=@$$(git -C $(SRC) log -1 --format=%ct) --transform='s|^|$(DKMS_NAME)/|' \
		$(DKMS_FILES) LICENSES | gzip -n9 >$(BUILD)/dist/$(DKMS_NAME).tar.gz
	@echo build/dist/$(DKMS_NAME).tar.gz

# Debian's package for ppc64el: on a POWER host with what it depends on, elsewhere with the build
# machine's tools alone, for nothing is compiled.
DEB := $(BUILD)/deb
deb:
ifndef NATIVE
	$(Q)$(SRC)/scripts/host-packages.sh deb
endif
	$(Q)rm -rf $(DEB) && mkdir -p $(DEB)/source
	$(Q)tar -C $(SRC) -c $(DKMS_FILES) debian | tar -C $(DEB)/source -x
	$(Q)cd $(DEB)/source && dpkg-buildpackage -us -uc -b \
		$(if $(NATIVE),--ignore-builtin-builddeps,-appc64el -d) >$(DEB)/log 2>&1 || { tail -n 15 $(DEB)/log >&2; exit 1; }
ifndef NATIVE
	$(Q)lintian --allow-root -EI --fail-on error,warning,info,experimental $(DEB)/*.deb
endif
	@cd $(SRC) && echo build/deb/*.deb

# --- tests -------------------------------------------------------------------------------------
.PHONY: target-tests demo-program bench-program bench-floor kvm-programs type1-programs
TARGET_TESTS := $(MAKE) --no-print-directory -C $(SRC)/selftests/vfio CROSS_COMPILE=powerpc64le-linux-gnu- \
	OUTPUT=$(BUILD)/selftests/vfio-ppc64le
target-tests: kernel
	$(Q)$(SRC)/scripts/fetch-harness.sh 6.12
	$(Q)$(TARGET_TESTS) HARNESS_DIR=$(BUILD)/kernels/6.12/selftests

demo-program: kernel
	$(Q)$(TARGET_TESTS) demo

bench-program: kernel
	$(Q)$(MAKE) --no-print-directory -C $(SRC)/selftests/bench bench CROSS_COMPILE=powerpc64le-linux-gnu- \
		OUTPUT=$(BUILD)/selftests/bench-ppc64le

kvm-programs:
	$(Q)$(SRC)/scripts/host-packages.sh build
	$(Q)$(MAKE) --no-print-directory -C $(SRC)/selftests/kvm CROSS_COMPILE=powerpc64le-linux-gnu- \
		OUTPUT=$(BUILD)/selftests/kvm-ppc64le

# The kernel's own tests of VFIO; their source is that of one kernel, for all.
type1-programs:
	$(Q)$(SRC)/scripts/host-packages.sh build
	$(Q)$(SRC)/scripts/fetch-kernel.sh 7.2
	$(Q)$(SRC)/scripts/fetch-harness.sh 7.2 vfio
	$(Q)$(MAKE) --no-print-directory -C $(SRC)/selftests/type1 CROSS_COMPILE=powerpc64le-linux-gnu- \
		SOURCES=$(BUILD)/kernels/7.2/selftests UAPI=$(BUILD)/kernels/7.2/headers-common/include/uapi \
		OUTPUT=$(BUILD)/selftests/type1-ppc64le

FLOOR := $(BUILD)/bench-floor/$(KERNEL)
bench-floor: kernel
	@mkdir -p $(FLOOR)
	@ln -sfn $(addprefix $(SRC)/selftests/bench/floor/,Kbuild tce_floor.c tce_floor.h) $(FLOOR)
	$(Q)+$(subst M=$(OUT),M=$(FLOOR),$(KBUILD)) modules

.PHONY: emulator lane-qemu demo reproduce check check-all check-host coverage check-qemu check-kvm \
	check-dpdk check-type1 check-qemu-img check-qemu-pc check-tracers check-litmus bench bench-pc
emulator:
	$(Q)$(SRC)/scripts/host-packages.sh qemu
	$(Q)$(SRC)/scripts/fetch-busybox.sh

GUEST_PROGRAMS := $(addprefix guest-,qemu qemu-img qemu-pc dpdk bpftrace perf trace-cmd)
.PHONY: $(GUEST_PROGRAMS)
$(GUEST_PROGRAMS): emulator
	$(Q)$(SRC)/scripts/host-packages.sh build
	$(Q)$(SRC)/scripts/fetch-guest-program.sh $(patsubst guest-%,%,$@)

lane-qemu: emulator
	$(Q)$(SRC)/scripts/build-qemu.sh

demo: module demo-program emulator
	$(Q)$(SRC)/selftests/qemu/demo.sh

# With the packaged QEMU. Without a number it lists the defects, for which nothing is to be built.
reproduce: $(if $(LANE),$(if $(DEFECT),module target-tests emulator))
	$(Q)$(SRC)/selftests/qemu/reproduce.sh $(DEFECT)

bench: module bench-program bench-floor lane-qemu
	$(Q)$(SRC)/scripts/host-packages.sh bench
	$(Q)$(SRC)/selftests/bench/run.sh $(KERNEL)

# The kernel's own type 1, on a PC.
bench-pc:
	$(Q)$(SRC)/scripts/host-packages.sh pc
	$(Q)$(SRC)/scripts/fetch-pc.sh
	$(Q)$(MAKE) --no-print-directory -C $(SRC)/selftests/bench bench-pc OUTPUT=$(BUILD)/selftests/bench-x86_64
	$(Q)$(SRC)/selftests/bench/run-pc.sh

check check-all:
	$(Q)$(SRC)/selftests/check.sh $@

check-host:
	$(Q)$(SRC)/scripts/host-packages.sh host-tests
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) -C $(SRC)/selftests/host check \
		OUTPUT=$(BUILD)/host$(if $(THREADS),-threads)

check-litmus:
	$(Q)$(SRC)/scripts/fetch-herd.sh
	$(Q)$(SRC)/selftests/litmus/run.sh

coverage:
	$(Q)$(SRC)/scripts/host-packages.sh coverage
	$(Q)$(SRC)/selftests/host/coverage.sh $(BUILD)/coverage

LANE ?= powernv9-$(KERNEL)
check-qemu: module target-tests lane-qemu
	$(Q)$(SRC)/selftests/qemu/run-lane.sh $(LANE)

check-kvm: module kvm-programs guest-qemu
	$(Q)failed=0; for lane in $(KVM_LANES); do \
		$(SRC)/selftests/kvm/run.sh $$lane || failed=1; \
	done; exit $$failed

check-dpdk: module guest-dpdk lane-qemu
	$(Q)$(SRC)/selftests/dpdk/run.sh $(LANE)

check-type1: module type1-programs lane-qemu
	$(Q)$(SRC)/selftests/type1/run.sh $(LANE)

check-qemu-img: module guest-qemu-img lane-qemu
	$(Q)$(SRC)/selftests/qemu-img/run.sh $(LANE)

check-qemu-pc: module guest-qemu-pc lane-qemu
	$(Q)$(SRC)/selftests/qemu-pc/run.sh $(LANE)

check-tracers: module demo-program guest-bpftrace guest-perf guest-trace-cmd
	$(Q)$(SRC)/selftests/tracers/run.sh $(LANE)

# Debian systems for ppc64el, in which the module is installed as a user does.
.PHONY: check-install install-roots
INSTALL_RELEASES := bookworm trixie
install-roots: deb dist emulator
	$(Q)$(SRC)/scripts/host-packages.sh toolchain install build
	$(Q)$(SRC)/scripts/fetch-toolchain.sh 7.2
	$(Q)$(SRC)/scripts/fetch-qemu-user.sh
	$(Q)for release in $(INSTALL_RELEASES); do $(SRC)/selftests/install/make-root.sh $$release || exit 1; done

check-install: install-roots
	$(Q)failed=0; for release in $(INSTALL_RELEASES); do \
		$(SRC)/selftests/install/run.sh $$release || failed=1; \
	done; exit $$failed

# --- the source --------------------------------------------------------------------------------
.PHONY: sparse lint html clean help
sparse: module
	$(Q)$(SRC)/scripts/host-packages.sh lint
	$(Q)$(SRC)/scripts/run-sparse.sh $(OUT) $(KBUILD)

lint: module html
	$(Q)$(SRC)/scripts/host-packages.sh lint host-tests
	$(Q)$(SRC)/scripts/lint.sh $(OUT)

# All pages are read each time: what one says of another can be wrong without a change of it.
html:
	$(Q)$(SRC)/scripts/host-packages.sh docs
	$(Q)sphinx-build -E -W --keep-going -q -d $(BUILD)/doctrees $(SRC)/Documentation $(BUILD)/html
	@echo build/html/index.html

clean:
	rm -rf $(BUILD)

help:
	@echo 'On a POWER host:'
	@echo '  make            build the module for the running kernel'
	@echo '  make install    install it to updates/, so that modprobe prefers it; signed with KEY= CERT='
	@echo '  make uninstall  remove it from there: modprobe loads the stock module again'
	@echo '  make deb        build/deb/*.deb, which has DKMS build the module for each kernel'
	@echo '  make dist       build/dist/*.tar.gz, the sources for DKMS of other distributions'
	@echo 'On any Debian machine, as root (missing packages are installed):'
	@echo '  make demo       boot a real kernel with the module on an emulated POWER9 and do DMA'
	@echo '  make reproduce  list the defects of the stock driver; DEFECT=D1: boot it, see one, then ours'
	@echo '  make check      the tests that guard each change, on every machine with every kernel'
	@echo '  make check-all  all programs on every machine with every kernel and both kinds of tables; DRY=1: say what'
	@echo '  Parts of these:'
	@echo '  make check-host                  the C++ sources against a fake kernel'
	@echo '  make coverage                    what of the sources these tests do not reach'
	@echo "  make check-litmus                what the kernel's memory model allows where CPUs meet"
	@echo '  make check-qemu LANE=<lane>      one of: $(LANES)'
	@echo '  make check-kvm                   QEMU guests with disks of the emulated host'
	@echo '  make check-dpdk LANE=<lane>      testpmd with two NICs, on a powernv machine'
	@echo "  make check-type1 LANE=<lane>     the kernel's own tests of VFIO, with type 1, on a powernv machine"
	@echo "  make check-qemu-img LANE=<lane>  QEMU's tools with an NVMe disk, with type 1"
	@echo "  make check-qemu-pc LANE=<lane>   QEMU's PC with two devices, with type 1, on a powernv machine"
	@echo '  make check-tracers LANE=<lane>   bpftrace, perf and trace-cmd with our events, on a powernv machine'
	@echo '  make check-install               make install, DKMS and the Debian package, on Debian 12 and 13'
	@echo '  make bench      guest instructions: the stock driver against ours; KERNEL=<kernel>'
	@echo '  make bench-pc   those of type 1 on a PC, beside ours; after make bench KERNEL=6.12, on amd64'
	@echo '  make module KERNEL=<kernel>      build/<kernel>/$(MODULE); one of: $(KERNELS)'
	@echo '  make module KDIR=<kernel tree>   for any other kernel'
	@echo '  make kernel KERNEL=<kernel>      fetch and unpack that kernel'
	@echo '  make sparse     sparse over the C glue'
	@echo '  make lint       clang-format, clang-tidy, shellcheck, order of the floors, reuse, and make html'
	@echo '  make html       the documentation: build/html/index.html'
	@echo '  make clean      remove build/, with all that was downloaded'

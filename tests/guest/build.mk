# SPDX-License-Identifier: BSD-2-Clause
# Test guests on Debian's Xen, the oracle: the tests must hold there too. `make check-xen TESTS="selftest events"` runs some of them.

DEB_PKGS += xen-hypervisor-4.17-amd64 xen-utils-4.17 xenstore-utils linux-image-amd64 busybox-static cpio kmod

XEN_IMAGE := $(B)/guest/xen/dom0.gz
TESTS ?= $(GUEST_TESTS)

$(XEN_IMAGE): tests/guest/xen-image | $(B)/.deps
	@echo "  XEN  $@"
	@tests/guest/xen-image $(@D)

.PHONY: check-xen
check-xen: $(B)/.deps $(XEN_IMAGE) test-guests ## run the test guests on Debian's Xen 4.17, in QEMU
	@tests/guest/run xen $(TESTS)

# The same on our hypervisor, one machine for all of them, a guest that serves beside them.
CHECKS += guests
check-guests := tests/guest/run vfr $(GUEST_TESTS)
check-guests-deps := $(GUEST_TEST_ELF) $(G)/small.elf $(B)/xen/vfr.elf $(B)/vfrctl

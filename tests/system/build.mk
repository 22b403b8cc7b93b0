# SPDX-License-Identifier: BSD-2-Clause
# Whole machines under QEMU: the Debian guest's image, `make run`, `make demo`, and the system tests.

DEB_PKGS += busybox-static cpio kmod lz4 linux-image-amd64 iproute2 iperf3 iputils-ping curl python3 util-linux

DEBIAN_SRC := $(addprefix tests/system/debian/,build.sh image.sh init lease whoami.cgi fetch.cgi kallsyms.cgi udpecho.c)
$(B)/debian/guest.initrd: $(DEBIAN_SRC) | $(B)/.deps
	@tests/system/debian/build.sh $(B)/debian

# All a machine is made of, before a script starts one.
$(B)/demo/ready: $(B)/debian/guest.initrd $(B)/xen/vfr.elf $(B)/vfrctl $(B)/guest/small.elf
	@mkdir -p $(@D) && touch $@

# SITE=file.yaml: a site file of one's own instead of the demonstration's. FORWARD="8080-10.0.2.15:20080 ...": ports of 127.0.0.1
# that lead to it. OPTIONS: of the hypervisor, on the ISO's GRUB line.
SITE ?=
FORWARD ?=
OPTIONS ?=

.PHONY: run demo iso
iso: $(B)/demo/ready ## build/vfr.iso, bootable, of a site file: make iso SITE=file.yaml
	@tests/system/boot $(or $(SITE),tests/system/sites/demo.yaml) -o $(B)/iso --iso $(B)/vfr.iso --append '$(OPTIONS)'

run: $(B)/demo/ready ## build all, boot three guests on one address (or SITE=file.yaml), show what to try; Ctrl-C ends it
	@tests/system/run.py $(SITE) $(FORWARD)

demo: $(B)/demo/ready $(B)/vfr-tap ## the system of make run, unattended: a transcript of probes, exit 0 or 1
	@tests/system/demo.py

ifneq ($(wildcard tools/vfrctl/*.c),)
CHECKS += system
endif
check-system := tests/system/check.py
check-system-deps := $(B)/demo/ready test-guests

# What depends on how busy the host is, and takes longer, stands beside `make check`.
.PHONY: check-shares check-stacks check-long
check-shares: $(B)/xen/vfr.elf $(B)/vfrctl $(B)/guest/blast.elf $(B)/guest/tests/hostile-spin.elf ## shares of guests on one line, and of one processor
	@tests/system/cpu_shares.py
	@tests/system/net_shares.py

check-stacks: $(B)/demo/ready ## real Linux stacks through a machine: fragments, path MTU, traceroute, hairpin, translation, DHCP, IPv6
	@tests/system/check.py --long stacks

check-long: $(B)/demo/ready test-guests ## ten million random rounds by hostile guests, a guest stopped 500 times under load, an event storm
	@VFR_KILLS=500 tests/system/check.py churn
	@tests/system/check.py --long random storm

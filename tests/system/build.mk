# SPDX-License-Identifier: BSD-2-Clause
# Whole machines under QEMU: the Debian guest's image, `make run`, `make demo`, and the system tests.

DEB_PKGS += busybox-static cpio kmod linux-image-amd64 iproute2 iperf3 curl python3 util-linux

DEBIAN_SRC := $(addprefix tests/system/debian/,build.sh image.sh init whoami.cgi fetch.cgi udpecho.c)
$(B)/debian/guest.cpio.gz: $(DEBIAN_SRC) | $(B)/.deps
	@tests/system/debian/build.sh $(B)/debian

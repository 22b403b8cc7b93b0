# SPDX-License-Identifier: BSD-2-Clause
# End-to-end measurements: ours, Debian's Xen 4.17 and plain QEMU, in one run. BENCH_RUNS=1 for a quick look.

DEB_PKGS += xen-hypervisor-4.17-amd64 xen-utils-4.17 xenstore-utils nftables wrk curl iperf3 iputils-ping iproute2 python3

$(B)/bench/udpload: bench/end-to-end/udpload.c
	@mkdir -p $(@D)
	@gcc -O2 -Wall -Wextra -Werror -o $@ $<

PEER_SRC := bench/peers/dom0.sh bench/peers/dom0-init bench/peers/guest.cfg bench/peers/peer.conf bench/peers/vif-script
$(B)/peers/dom0.cpio.gz: $(PEER_SRC) $(B)/debian/guest.initrd
	@bench/peers/dom0.sh $(B)/debian $(B)/peers

.PHONY: bench-peers
bench-peers: $(B)/.deps $(B)/peers/dom0.cpio.gz $(B)/bench/udpload ## the end-to-end figures of the two peers alone
	@printf 'name\tours\tpeer\tratio\tgoal\tmet\n'
	@BENCH_PEERS_ONLY=1 bench/end-to-end/bench.py

BENCHES += end-to-end
bench-end-to-end := bench/end-to-end/bench.py
bench-end-to-end-deps := $(B)/peers/dom0.cpio.gz $(B)/bench/udpload $(B)/demo/ready $(B)/guest/tests/bench.elf

# SPDX-License-Identifier: BSD-2-Clause
# Network schedulers: cost of a packet (beside HTB here and a Debian kernel's qdiscs under QEMU), and how well promises are kept.
DEB_PKGS += gnuplot-nox iproute2 nftables busybox-static cpio linux-image-amd64 qemu-system-x86 util-linux valgrind

NETSCHED_BENCH := $(B)/bench/netsched
NETSCHED_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard xen/sched/net/*.c)) $(B)/libenvhost.a

# Static, since they run in a guest without libraries too; the scheduler's objects are those that ship.
$(NETSCHED_BENCH)/cost $(NETSCHED_BENCH)/quality: $(NETSCHED_BENCH)/%: bench/netsched/%.c $(NETSCHED_OBJ)
	@mkdir -p $(@D)
	@$(CC_HOST) $(CFLAGS_HOST) -static -o $@ $^ -lm
$(NETSCHED_BENCH)/flood $(NETSCHED_BENCH)/delay: $(NETSCHED_BENCH)/%: bench/netsched/%.c
	@mkdir -p $(@D)
	@$(CC_HOST) $(CFLAGS_HOST) -static -o $@ $^

NETSCHED_PROGS := $(addprefix $(NETSCHED_BENCH)/,cost quality flood delay)

$(NETSCHED_BENCH)/peers.txt: $(NETSCHED_PROGS) bench/netsched/peers.sh bench/netsched/guest-init
	@bench/netsched/peers.sh $(NETSCHED_BENCH) $@.new && mv $@.new $@

bench-programs: $(NETSCHED_PROGS)
BENCHES += netsched
bench-netsched-deps := $(NETSCHED_BENCH)/peers.txt
bench-netsched := bench/netsched/run.sh $(NETSCHED_BENCH)

.PHONY: bench-plots
bench-plots: $(B)/.deps $(NETSCHED_BENCH)/peers.txt ## plots of the network schedulers beside their peers, in build/bench/netsched
	@bench/netsched/plot.sh $(NETSCHED_BENCH)

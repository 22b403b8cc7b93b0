# SPDX-License-Identifier: BSD-2-Clause
# The router's measurements. Peers: Debian's DPDK programs, DPDK's hash table as a library, nftables in network namespaces.

DEB_PKGS += dpdk-dev libdpdk-dev pkgconf gnuplot-nox nftables iproute2 util-linux
ROUTER_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard xen/net/vfr/*.c))

$(B)/router-bench: $(wildcard bench/router/*.c) bench/router/load.h $(ROUTER_OBJ) $(B)/libenvhost.a
	@echo "  LD   $@"
	@$(CC_HV) $(CFLAGS_HOST) -Wno-unused-parameter -o $@ $(filter-out %.h,$^)

$(B)/bench/nat-flood: bench/peers/nat-flood.c
	@mkdir -p $(@D)
	@$(CC_HOST) $(CFLAGS_HOST) -o $@ $<

# Without DPDK's headers there is no such peer, and its figure is missing.
$(B)/bench/rte-hash: bench/peers/rte-hash.c
	@mkdir -p $(@D)
	@pkg-config --exists libdpdk && gcc -std=gnu11 -O2 $$(pkg-config --cflags libdpdk) -o $@ $< -lrte_hash -lrte_eal || rm -f $@

bench-programs: $(B)/router-bench $(B)/bench/nat-flood
BENCHES += router
bench-router := bench/router/run.sh $(B)
bench-router-deps := $(B)/router-bench $(B)/bench/nat-flood $(B)/bench/rte-hash

.PHONY: bench-plots-router
bench-plots-router: $(B)/router-bench ## draw the router's cost against ports, domains, flows and rules (docs/vfr-cost.svg)
	@bench/router/plots.sh $(B) docs/vfr-cost.svg
bench-plots: bench-plots-router

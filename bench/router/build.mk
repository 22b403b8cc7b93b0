# SPDX-License-Identifier: BSD-2-Clause
# The router's measurements. Peers: Debian's DPDK programs.

DEB_PKGS += dpdk-dev gnuplot-nox
ROUTER_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard xen/net/vfr/*.c))

$(B)/router-bench: bench/router/bench.c $(ROUTER_OBJ) $(B)/libenvhost.a
	@echo "  LD   $@"
	@$(CC_HV) $(CFLAGS_HOST) -o $@ $^

BENCHES += router
bench-router := bench/router/run.sh $(B)
bench-router-deps := $(B)/router-bench

.PHONY: bench-plots-router
bench-plots-router: $(B)/router-bench ## draw the router's cost against ports, domains, flows and rules (docs/vfr-cost.svg)
	@bench/router/plots.sh $(B) docs/vfr-cost.svg
bench-plots: bench-plots-router

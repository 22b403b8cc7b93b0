# SPDX-License-Identifier: BSD-2-Clause
# The router and real packets: captures made by scapy, and real Linux stacks in network namespaces.

DEB_PKGS += python3-scapy curl iperf3 iputils-ping iproute2

$(B)/vfr-tap: tests/net/tap.c tools/vfr-replay/config.c tools/vfr-replay/replay.h $(patsubst %.c,$(B)/%.o,$(wildcard xen/net/vfr/*.c)) $(B)/libenvhost.a
	@echo "  LD   $@"
	@$(CC_HV) $(CFLAGS_HOST) -o $@ $(filter %.c %.o %.a,$^)

$(B)/vfr-replay-san: $(B)/asan/tools/vfr-replay/main.o $(B)/asan/tools/vfr-replay/config.o $(B)/asan/libcore.a $(B)/asan/libenvhost.a
	@echo "  LD   $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lpcap

CHECKS += vfr-replay vfr-net vfr-public
check-vfr-public = tests/net/public.py $(B) $(B)/vfr-replay
check-vfr-public-deps = $(B)/vfr-replay

.PHONY: check-captures
check-captures: $(B)/vfr-replay-san ## the captures of others through the router, under sanitizers
	tests/net/public.py $(B) $(B)/vfr-replay-san
check-vfr-replay = tests/net/replay.py $(B)
check-vfr-replay-deps = $(B)/vfr-replay
check-vfr-net = tests/net/stacks.sh $(B)
check-vfr-net-deps = $(B)/vfr-tap

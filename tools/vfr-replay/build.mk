# SPDX-License-Identifier: BSD-2-Clause
# vfr-replay: captures through the router.

DEB_PKGS += libpcap-dev python3-scapy
VFR_REPLAY_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard xen/net/vfr/*.c))

$(B)/vfr-replay: $(wildcard tools/vfr-replay/*.c tools/vfr-replay/*.h) $(VFR_REPLAY_OBJ) $(B)/libenvhost.a
	@echo "  LD   $@"
	@$(CC_HV) $(CFLAGS_HOST) -o $@ $(filter %.c %.o %.a,$^) -lpcap

tools: $(B)/vfr-replay

# SPDX-License-Identifier: BSD-2-Clause
# The tools' tests: text and its meaning under sanitizers; vfrctl as a user runs it, against the simulator.
DEB_PKGS += clang curl bzip2 libcmocka-dev python3 jq xz-utils gzip lz4 zstd tcpdump libxml2-utils

TOOL_TEST_OBJ := $(addprefix $(B)/asan/tools/lib/,text.o ports.o rule.o rate.o dscp.o)
$(B)/tests/unit/tools/test_text: $(B)/asan/tests/unit/tools/test_text.o $(TOOL_TEST_OBJ)
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka
.SECONDARY: $(B)/asan/tests/unit/tools/test_text.o $(TOOL_TEST_OBJ)

CHECKS += tools-text vfrctl vfrctl-docs vfrctl-live control-protocol-doc
check-tools-text-deps := $(B)/tests/unit/tools/test_text
check-tools-text := $(B)/tests/unit/tools/test_text
check-vfrctl-deps := $(B)/vfrctl $(B)/vfr-sim
check-vfrctl := tests/unit/tools/run

check-vfrctl-docs-deps := $(B)/vfrctl $(B)/vfr-sim
check-vfrctl-docs := tests/unit/tools/docs
check-vfrctl-live-deps := $(B)/demo/ready
check-vfrctl-live := tests/unit/tools/live
check-control-protocol-doc := tools/lib/protocol-doc xen/include/public/vfr_control.h --check docs/control-protocol.md

# A box of 1,000 domains: check, diff and apply, beside what they may take.
BENCHES += vfrctl
bench-vfrctl-deps := $(B)/vfrctl $(B)/vfr-sim
bench-vfrctl := tests/unit/tools/bench-1000

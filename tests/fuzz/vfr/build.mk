# SPDX-License-Identifier: BSD-2-Clause
# The router under libFuzzer: 30 s in `make check`, 10 minutes in `make fuzz-vfr-long`. The corpus grows in build/.

DEB_PKGS += clang xz-utils
VFR_FUZZ_T := tests/fuzz/vfr
VFR_FUZZ_OBJ := $(patsubst %.c,$(B)/fuzz/%.o,$(wildcard xen/net/vfr/*.c)) $(B)/fuzz/libenvhost.a
VFR_FUZZ_SECONDS ?= 30

# Coverage is the router's: the model's long loops would only drown it.
$(B)/vfr-fuzz: $(B)/asan/$(VFR_FUZZ_T)/fuzz.o $(B)/asan/$(VFR_FUZZ_T)/world.o $(VFR_FUZZ_OBJ)
	@echo "  LD   $@"
	@$(CC_SAN) $(CFLAGS_SAN) -fsanitize=fuzzer -o $@ $^

$(B)/vfr-seeds: $(B)/asan/$(VFR_FUZZ_T)/seeds.o $(addprefix $(B)/asan/tests/unit/vfr/,craft.o craft_dhcp.o craft_nd.o describe.o)
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^

# What long runs have found worth keeping is in the tree, merged: vfr-fuzz -merge=1 NEW build/vfr-corpus, then tar and xz.
$(B)/vfr-corpus/.made: $(B)/vfr-seeds $(VFR_FUZZ_T)/seeds.txt $(VFR_FUZZ_T)/corpus.tar.xz
	@mkdir -p $(@D) && tar -xf $(VFR_FUZZ_T)/corpus.tar.xz -C $(@D) && $(B)/vfr-seeds $(VFR_FUZZ_T)/seeds.txt $(@D) && touch $@

CHECKS += vfr-fuzz
check-vfr-fuzz = $(B)/vfr-fuzz -max_total_time=$(VFR_FUZZ_SECONDS) -max_len=8192 -rss_limit_mb=1024 -artifact_prefix=$(B)/vfr-crash- -print_final_stats=1 $(B)/vfr-corpus && echo "1 passed, 0 failed"
check-vfr-fuzz-deps = $(B)/vfr-fuzz $(B)/vfr-corpus/.made

.PHONY: fuzz-vfr-long
fuzz-vfr-long: $(check-vfr-fuzz-deps) ## fuzz the router for ten minutes
	$(B)/vfr-fuzz -max_total_time=600 -max_len=8192 -rss_limit_mb=1024 -artifact_prefix=$(B)/vfr-crash- $(B)/vfr-corpus

-include $(wildcard $(B)/asan/$(VFR_FUZZ_T)/*.d)

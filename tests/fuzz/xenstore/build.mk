# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing xenstore's wire protocol and ring; new inputs are kept in build/fuzz/corpus.
DEB_PKGS += clang

FUZZ_XENSTORE := $(B)/tests/fuzz/xenstore/fuzz_xenstore
$(FUZZ_XENSTORE): tests/fuzz/xenstore/fuzz_xenstore.c $(patsubst %.c,$(B)/fuzz/%.o,$(wildcard xen/xenstore/*.c)) $(B)/fuzz/libenvhost.a
	@mkdir -p $(@D)
	@echo "  FUZZ $@"
	@$(CC_SAN) $(CFLAGS_SAN) -fsanitize=fuzzer -o $@ $(filter %.c %.o %.a,$^)

CHECKS += xs-fuzz
check-xs-fuzz-deps := $(FUZZ_XENSTORE)
check-xs-fuzz := mkdir -p $(B)/fuzz/corpus/xenstore && $(FUZZ_XENSTORE) -max_total_time=30 -max_len=2048 -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 $(B)/fuzz/corpus/xenstore

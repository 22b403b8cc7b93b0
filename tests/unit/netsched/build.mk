# SPDX-License-Identifier: BSD-2-Clause
# The network schedulers' tests: the shipped sources under ASan and UBSan, on simulated links, against naive twins.
DEB_PKGS += clang libcmocka-dev

NETSCHED_TEST_SRC := $(wildcard tests/unit/netsched/*.c)
NETSCHED_TEST := $(B)/tests/unit/netsched/test_netsched

# The worked example is the code block of docs/schedulers.md itself.
NETSCHED_EXAMPLE := $(B)/docs/example_policy.c
$(NETSCHED_EXAMPLE): docs/schedulers.md
	@mkdir -p $(@D)
	@awk '/^```c$$/ { on = 1; next } /^```$$/ { on = 0 } on' $< > $@
	@[ $$(wc -l < $@) -lt 80 ] || { echo "$<: the example has 80 lines or more"; exit 1; }

$(NETSCHED_TEST): $(NETSCHED_TEST_SRC) tests/unit/netsched/harness.h $(NETSCHED_EXAMPLE) $(wildcard xen/sched/net/*.h) \
		$(patsubst %.c,$(B)/asan/%.o,$(wildcard xen/sched/net/*.c)) $(B)/asan/libenvhost.a
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -Itests/unit/netsched -o $@ $(filter %.c %.o %.a,$^) -lcmocka -lm

CHECKS += netsched
check-netsched-deps := $(NETSCHED_TEST)
check-netsched := $(NETSCHED_TEST)

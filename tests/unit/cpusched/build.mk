# SPDX-License-Identifier: BSD-2-Clause
# The cpu scheduler's tests: the shipped sources under ASan and UBSan, run in a simulator and by real threads.
DEB_PKGS += clang libcmocka-dev

CPUSCHED_TEST := $(B)/tests/unit/cpusched/test_cpusched
$(CPUSCHED_TEST): $(wildcard tests/unit/cpusched/*.c) tests/unit/cpusched/sim.h \
		$(patsubst %.c,$(B)/asan/%.o,$(wildcard xen/sched/cpu/*.c)) $(B)/asan/libenvhost.a
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $(filter %.c %.o %.a,$^) -lcmocka -lpthread

CHECKS += cpusched
check-cpusched-deps := $(CPUSCHED_TEST)
check-cpusched := $(CPUSCHED_TEST)

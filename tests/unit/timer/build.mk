# SPDX-License-Identifier: BSD-2-Clause
# The hypervisor's timers, the shipped file, with threads for CPUs, under ASan and UBSan.
DEB_PKGS += clang libcmocka-dev

$(B)/unit-timer: tests/unit/timer/test_timer.c xen/common/timer.c $(B)/asan/libenvhost.a $(wildcard xen/include/hv/*.h)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $(filter %.c %.a,$^) -lcmocka -lpthread

CHECKS += timer
check-timer := $(B)/unit-timer
check-timer-deps := $(B)/unit-timer

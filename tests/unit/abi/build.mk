# SPDX-License-Identifier: BSD-2-Clause
# The guest ABI's tests: the shipped hypercall handlers on a machine of paper, under ASan and UBSan. What they leave
# uninitialised is filled with a pattern, so that a test can see it reach a guest.
DEB_PKGS += clang libcmocka-dev

ABI_UNDER_TEST := hypercall evtchn evtchn_ops grant grant_map grant_copy memory_op version hvm_op vcpu_op sched_op console
ABI_SRC := $(patsubst %,xen/common/%.c,$(ABI_UNDER_TEST)) $(addprefix tests/unit/abi/,machine.c cpu.c guest.c)
ABI_OBJ := $(ABI_SRC:%.c=$(B)/tests/unit/abi/obj/%.o)
ABI_CFLAGS := -D__XEN_INTERFACE_VERSION__=0x00040e00 -include tests/unit/abi/host_mm.h
$(B)/tests/unit/abi/obj/xen/%.o: ABI_CFLAGS += -ftrivial-auto-var-init=pattern

$(B)/tests/unit/abi/obj/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) $(CFLAGS_SAN) $(ABI_CFLAGS) -MMD -MP -c -o $@ $<
-include $(wildcard $(B)/tests/unit/abi/obj/xen/common/*.d $(B)/tests/unit/abi/obj/tests/unit/abi/*.d)

$(B)/tests/unit/abi/test_%: $(B)/tests/unit/abi/obj/tests/unit/abi/test_%.o $(ABI_OBJ) $(B)/asan/libenvhost.a
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka -lpthread

.SECONDARY: $(ABI_OBJ) $(B)/tests/unit/abi/obj/tests/unit/abi/test_abi.o $(B)/tests/unit/abi/obj/tests/unit/abi/test_limits.o

CHECKS += abi abi-limits
check-abi := $(B)/tests/unit/abi/test_abi
check-abi-deps := $(B)/tests/unit/abi/test_abi
check-abi-limits := $(B)/tests/unit/abi/test_limits
check-abi-limits-deps := $(B)/tests/unit/abi/test_limits

# SPDX-License-Identifier: BSD-2-Clause
# The guest ABI's tests: the shipped hypercall handlers on a machine of paper, under ASan and UBSan.
DEB_PKGS += clang libcmocka-dev

ABI_UNDER_TEST := hypercall evtchn evtchn_ops grant grant_map grant_copy memory_op version hvm_op vcpu_op sched_op console
ABI_TEST_SRC := $(patsubst %,xen/common/%.c,$(ABI_UNDER_TEST)) $(wildcard tests/unit/abi/*.c)
ABI_TEST_OBJ := $(ABI_TEST_SRC:%.c=$(B)/tests/unit/abi/obj/%.o)

$(B)/tests/unit/abi/obj/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) $(CFLAGS_SAN) -D__XEN_INTERFACE_VERSION__=0x00040e00 -include tests/unit/abi/host_mm.h -MMD -MP -c -o $@ $<
-include $(wildcard $(ABI_TEST_OBJ:.o=.d))

$(B)/tests/unit/abi/test_abi: $(ABI_TEST_OBJ) $(B)/asan/libenvhost.a
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka -lpthread

CHECKS += abi
check-abi := $(B)/tests/unit/abi/test_abi
check-abi-deps := $(B)/tests/unit/abi/test_abi

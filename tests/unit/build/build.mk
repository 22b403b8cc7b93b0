# SPDX-License-Identifier: BSD-2-Clause
# Making and taking down a domain: the shipped files of xen/common on a machine of paper, under ASan and UBSan.
DEB_PKGS += clang libcmocka-dev

BUILD_UNDER_TEST := domain domain_build elf acpi console store timer evtchn grant grant_map grant_copy vcpu_op sched_op
BUILD_TEST_SRC := $(patsubst %,xen/common/%.c,$(BUILD_UNDER_TEST)) $(addprefix tests/unit/build/,paper.c test_build.c)
BUILD_TEST_OBJ := $(BUILD_TEST_SRC:%.c=$(B)/tests/unit/build/obj/%.o)
BUILD_TEST_CFLAGS := -D__XEN_INTERFACE_VERSION__=0x00040e00 -include tests/unit/build/host_mm.h

$(B)/tests/unit/build/obj/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) $(CFLAGS_SAN) $(BUILD_TEST_CFLAGS) -MMD -MP -c -o $@ $<
-include $(BUILD_TEST_OBJ:.o=.d)

$(B)/tests/unit/build/test_build: $(BUILD_TEST_OBJ) $(B)/asan/libcore.a $(B)/asan/libenvhost.a
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka

CHECKS += build
check-build := $(B)/tests/unit/build/test_build $(B)/guest/tests/selftest.elf
check-build-deps := $(B)/tests/unit/build/test_build $(B)/guest/tests/selftest.elf

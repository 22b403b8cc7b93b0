# SPDX-License-Identifier: BSD-2-Clause
# What the boot loader hands over, and what clients bring: the shipped files under ASan and UBSan.
DEB_PKGS += clang libcmocka-dev

BOOT_TEST_SRC := xen/arch/x86/multiboot.c xen/common/blob.c tests/unit/boot/test_boot.c
BOOT_TEST_OBJ := $(BOOT_TEST_SRC:%.c=$(B)/tests/unit/boot/obj/%.o)

$(B)/tests/unit/boot/obj/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) $(CFLAGS_SAN) -include tests/unit/boot/host_mm.h -MMD -MP -c -o $@ $<
-include $(BOOT_TEST_OBJ:.o=.d)

$(B)/tests/unit/boot/test_boot: $(BOOT_TEST_OBJ) $(B)/asan/libcore.a $(B)/asan/libenvhost.a
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka

CHECKS += boot
check-boot := $(B)/tests/unit/boot/test_boot
check-boot-deps := $(B)/tests/unit/boot/test_boot

# SPDX-License-Identifier: BSD-2-Clause
# The ELF reader's tests: the shipped source under ASan and UBSan.
DEB_PKGS += clang libcmocka-dev

$(B)/tests/unit/elf/test_elf: tests/unit/elf/test_elf.c $(B)/asan/xen/common/elf.o
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -Ixen/common -o $@ $(filter %.c %.o,$^) -lcmocka

CHECKS += elf
check-elf := $(B)/tests/unit/elf/test_elf
check-elf-deps := $(B)/tests/unit/elf/test_elf

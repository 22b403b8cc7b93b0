# SPDX-License-Identifier: BSD-2-Clause
# The hypervisor's memory functions, the shipped object with a prefix to its names, beside those of the host's C library.
DEB_PKGS += libcmocka-dev

$(B)/tests/unit/lib/string.o: $(B)/xen/lib/string.o
	@mkdir -p $(@D)
	@objcopy --prefix-symbols=hv_ $< $@

$(B)/tests/unit/lib/test_string: tests/unit/lib/test_string.c $(B)/tests/unit/lib/string.o
	@echo "  TEST $@"
	@$(CC_HOST) $(CFLAGS_HOST) -o $@ $^ -lcmocka

CHECKS += lib
check-lib := $(B)/tests/unit/lib/test_string
check-lib-deps := $(B)/tests/unit/lib/test_string

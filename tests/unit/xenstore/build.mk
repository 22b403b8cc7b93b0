# SPDX-License-Identifier: BSD-2-Clause
# Xenstore's tests: the shipped sources under ASan and UBSan.
DEB_PKGS += clang libcmocka-dev

XENSTORE_ASAN := $(patsubst %.c,$(B)/asan/%.o,$(wildcard xen/xenstore/*.c)) $(B)/asan/libenvhost.a
XENSTORE_TESTS := $(patsubst tests/unit/xenstore/test_%.c,xs-%,$(wildcard tests/unit/xenstore/test_*.c))

$(B)/tests/unit/xenstore/test_%: tests/unit/xenstore/test_%.c $(addprefix tests/unit/xenstore/,client.c client.h world.c world.h) $(XENSTORE_ASAN)
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -Itests/unit/xenstore -o $@ $(filter %.c %.o %.a,$^) -lcmocka -lpthread

CHECKS += $(XENSTORE_TESTS)
$(foreach t,$(XENSTORE_TESTS),$(eval check-$(t)-deps := $(B)/tests/unit/xenstore/test_$(t:xs-%=%)))
$(foreach t,$(XENSTORE_TESTS),$(eval check-$(t) := $(B)/tests/unit/xenstore/test_$(t:xs-%=%)))

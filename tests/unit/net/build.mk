# SPDX-License-Identifier: BSD-2-Clause
# The network layer (xen/net) on a host, under the sanitizers, against fakes of what it stands on.
DEB_PKGS += libcmocka-dev clang

NET_TEST_SRC := $(wildcard xen/net/*.c) $(addprefix tests/unit/net/,world.c world_card.c vif_case.c numbered.c)
NET_TEST_OBJ := $(NET_TEST_SRC:%.c=$(B)/unit-net/%.o)
NET_TESTS := $(patsubst tests/unit/net/test_%.c,$(B)/unit-net/test-%,$(wildcard tests/unit/net/test_*.c))

$(B)/unit-net/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) -Itests/unit/net/include -Itests/unit/net $(CFLAGS_SAN) -MMD -MP -c -o $@ $<

$(NET_TESTS): $(B)/unit-net/test-%: $(B)/unit-net/tests/unit/net/test_%.o $(NET_TEST_OBJ) $(B)/asan/libcore.a $(B)/asan/libenvhost.a
	@$(CC_SAN) -fsanitize=address,undefined -o $@ $^ -lcmocka

-include $(NET_TEST_OBJ:.o=.d) $(wildcard $(B)/unit-net/tests/unit/net/*.d)

CHECKS += net
check-net := for t in $(NET_TESTS); do $$t || exit 1; done
check-net-deps := $(NET_TESTS)

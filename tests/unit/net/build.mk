# SPDX-License-Identifier: BSD-2-Clause
# The network layer (xen/net) on a host, under the sanitizers, against fakes of what it stands on.
DEB_PKGS += libcmocka-dev clang

NET_TEST_SRC := $(wildcard xen/net/*.c) $(wildcard tests/unit/net/*.c)
NET_TEST_OBJ := $(NET_TEST_SRC:%.c=$(B)/unit-net/%.o)

$(B)/unit-net/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) -Itests/unit/net/include -Itests/unit/net $(CFLAGS_SAN) -MMD -MP -c -o $@ $<

$(B)/unit-net/test: $(NET_TEST_OBJ) $(B)/asan/libenvhost.a
	@$(CC_SAN) -fsanitize=address,undefined -o $@ $^ -lcmocka

-include $(NET_TEST_OBJ:.o=.d)

CHECKS += net
check-net := $(B)/unit-net/test
check-net-deps := $(B)/unit-net/test

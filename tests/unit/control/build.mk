# SPDX-License-Identifier: BSD-2-Clause
# Control's tests: the shipped code under ASan and UBSan, behind it the simulator's machine.
DEB_PKGS += clang libcmocka-dev libpcap-dev

CONTROL_TEST_OBJ := $(addprefix $(B)/asan/,tests/unit/control/client.o tests/unit/control/fixture.o tools/vfr-sim/machine.o tools/vfr-sim/classes.o tools/lib/frame.o)

$(B)/tests/unit/control/test_%: $(B)/asan/tests/unit/control/test_%.o $(CONTROL_TEST_OBJ) $(B)/asan/libcore.a $(B)/asan/libenvhost.a
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka -lpcap

CONTROL_TESTS := control txn domain memory tap rules
define control-check
CHECKS += control-$(1)
check-control-$(1)-deps := $$(B)/tests/unit/control/test_$(1)
check-control-$(1) := $$(B)/tests/unit/control/test_$(1)
endef
$(foreach t,$(CONTROL_TESTS),$(eval $(call control-check,$(t))))
.SECONDARY: $(CONTROL_TEST_OBJ) $(CONTROL_TESTS:%=$(B)/asan/tests/unit/control/test_%.o)

-include $(wildcard $(CONTROL_TEST_OBJ:.o=.d) $(B)/asan/tests/unit/control/*.d)

# SPDX-License-Identifier: BSD-2-Clause
# Control's tests: the shipped code under ASan and UBSan, behind it the simulator's machine.
DEB_PKGS += clang libcmocka-dev libpcap-dev

CONTROL_TEST_OBJ := $(addprefix $(B)/asan/,tests/unit/control/client.o tools/vfr-sim/machine.o tools/lib/frame.o)

$(B)/tests/unit/control/test_%: $(B)/asan/tests/unit/control/test_%.o $(CONTROL_TEST_OBJ) $(B)/asan/libcore.a $(B)/asan/libenvhost.a
	@mkdir -p $(@D)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka -lpcap

CHECKS += control control-memory
check-control-deps := $(B)/tests/unit/control/test_control
check-control := $(B)/tests/unit/control/test_control
check-control-memory-deps := $(B)/tests/unit/control/test_memory
check-control-memory := $(B)/tests/unit/control/test_memory

-include $(wildcard $(CONTROL_TEST_OBJ:.o=.d) $(B)/asan/tests/unit/control/*.d)
.SECONDARY: $(CONTROL_TEST_OBJ) $(B)/asan/tests/unit/control/test_control.o $(B)/asan/tests/unit/control/test_memory.o

CHECKS += control-tap
check-control-tap-deps := $(B)/tests/unit/control/test_tap
check-control-tap := $(B)/tests/unit/control/test_tap
.SECONDARY: $(B)/asan/tests/unit/control/test_tap.o

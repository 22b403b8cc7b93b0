# SPDX-License-Identifier: BSD-2-Clause
# The control port's fuzz target: 30 s in `make check`, longer with FUZZ_SECONDS.
FUZZ_SECONDS ?= 30

FUZZ_CONTROL_OBJ := $(addprefix $(B)/fuzz/,tests/fuzz/control/fuzz_control.o tests/unit/control/client.o tools/vfr-sim/machine.o tools/vfr-sim/classes.o \
	tools/lib/frame.o)

$(B)/tests/fuzz/control/fuzz_control: $(FUZZ_CONTROL_OBJ) $(B)/fuzz/libcore.a $(B)/fuzz/libenvhost.a
	@mkdir -p $(@D)
	@echo "  FUZZ $@"
	@$(CC_SAN) $(CFLAGS_SAN) -fsanitize=fuzzer -o $@ $^
.SECONDARY: $(FUZZ_CONTROL_OBJ)

CHECKS += control-fuzz
check-control-fuzz-deps := $(B)/tests/fuzz/control/fuzz_control
check-control-fuzz := tests/fuzz/control/run $(B)/tests/fuzz/control/fuzz_control $(B)/tests/fuzz/control/corpus $(FUZZ_SECONDS)

# SPDX-License-Identifier: BSD-2-Clause
# Frames and heap, the shipped files, on an arena that stands for the machine's memory.
DEB_PKGS += clang libcmocka-dev

HEAP_TEST_SRC := xen/common/frame.c xen/common/heap.c tests/unit/heap/test_heap.c
HEAP_TEST_OBJ := $(HEAP_TEST_SRC:%.c=$(B)/tests/unit/heap/obj/%.o)

$(B)/tests/unit/heap/obj/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) $(CFLAGS_SAN) -include tests/unit/heap/host_mm.h -MMD -MP -c -o $@ $<
-include $(HEAP_TEST_OBJ:.o=.d)

$(B)/tests/unit/heap/test_heap: $(HEAP_TEST_OBJ)
	@echo "  TEST $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka

CHECKS += heap
check-heap := $(B)/tests/unit/heap/test_heap
check-heap-deps := $(B)/tests/unit/heap/test_heap

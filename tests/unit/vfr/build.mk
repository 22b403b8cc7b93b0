# SPDX-License-Identifier: BSD-2-Clause
# The router's unit tests: table rows, the twin, the classifier and connection tables on their own.

DEB_PKGS += clang libcmocka-dev
VFR_T := tests/unit/vfr
VFR_ROWS_SRC := $(filter-out $(VFR_T)/test_% $(VFR_T)/twin%,$(wildcard $(VFR_T)/*.c))

# The router alone, sanitized, and its environment.
VFR_SAN := $(patsubst %.c,$(B)/asan/%.o,$(wildcard xen/net/vfr/*.c)) $(B)/asan/libenvhost.a

# Host programs of this folder: sanitized, against the sanitized twin of the shipped objects.
$(B)/vfr-rows: $(VFR_ROWS_SRC:%.c=$(B)/asan/%.o) $(VFR_SAN)
	@echo "  LD   $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^

$(B)/vfr-tables $(B)/vfr-classify $(B)/vfr-batch: $(B)/vfr-%: $(B)/asan/$(VFR_T)/test_%.o $(VFR_SAN)
	@echo "  LD   $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lcmocka

# The twin needs speed more than sanitizers, which the rows and the fuzzer have.
VFR_TWIN_SRC := $(VFR_T)/test_twin.c $(wildcard $(VFR_T)/twin*.c)
$(B)/vfr-twin: $(VFR_TWIN_SRC) $(wildcard $(VFR_T)/twin*.h) $(patsubst %.c,$(B)/%.o,$(wildcard xen/net/vfr/*.c)) $(B)/libenvhost.a
	@echo "  LD   $@"
	@$(CC_HV) $(CFLAGS_HOST) -I$(VFR_T) -o $@ $(filter %.c %.o %.a,$^)

$(B)/vfr-threads: $(addprefix $(B)/asan/$(VFR_T)/,test_threads.o craft.o craft_dhcp.o craft_nd.o describe.o) $(VFR_SAN)
	@echo "  LD   $@"
	@$(CC_SAN) $(CFLAGS_SAN) -o $@ $^ -lpthread

CHECKS += vfr-rows vfr-tables vfr-classify vfr-batch vfr-twin vfr-docs vfr-threads
check-vfr-threads = $(B)/vfr-threads 6
check-vfr-threads-deps = $(B)/vfr-threads
check-vfr-docs = $(VFR_T)/docs.py
check-vfr-twin = $(B)/vfr-twin 1000000
check-vfr-twin-deps = $(B)/vfr-twin
check-vfr-classify = $(B)/vfr-classify
check-vfr-classify-deps = $(B)/vfr-classify
check-vfr-batch = $(B)/vfr-batch
check-vfr-batch-deps = $(B)/vfr-batch
check-vfr-tables = $(B)/vfr-tables
check-vfr-tables-deps = $(B)/vfr-tables
check-vfr-rows = $(B)/vfr-rows
check-vfr-rows-deps = $(B)/vfr-rows
-include $(wildcard $(B)/asan/$(VFR_T)/*.d)

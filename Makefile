# SPDX-License-Identifier: BSD-2-Clause
# VFRv2: the front door. `make help` lists the targets; every folder's own rules are in its build.mk.

.DEFAULT_GOAL := all
SHELL := /bin/bash
B := build
MAKEFLAGS += --jobs=$(shell nproc)

CC_HV   := gcc
CC_HOST := gcc
CC_SAN  := clang

DEB_PKGS := gcc make binutils libxen-dev grub-pc-bin grub-common xorriso mtools qemu-system-x86
CHECKS :=
BENCHES :=

# --- the hypervisor's objects, and the host-free part of them ---------------------------------------------------------
HOSTFREE_DIRS := xen/net/vfr xen/sched/cpu xen/sched/net xen/audit xen/xenstore xen/control
HV_DIRS := xen/arch/x86 xen/arch/x86/svm xen/common xen/drivers xen/net xen/lib

HOSTFREE_SRC := $(sort $(wildcard $(addsuffix /*.c,$(HOSTFREE_DIRS))))
HV_SRC := $(sort $(wildcard $(addsuffix /*.c,$(HV_DIRS))) $(wildcard $(addsuffix /*.S,$(HV_DIRS))))

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef \
	-Wpointer-arith -Wwrite-strings -Wvla -Wno-unused-parameter
INC := -Ixen/include -Ixen/net -Ixen
GCC_INC := $(shell $(CC_HV) -print-file-name=include)
CFLAGS_HV := -std=gnu11 -O2 -g -ffreestanding -nostdinc -isystem xen/include/libc -isystem $(GCC_INC) -isystem $(B)/include \
	-D__XEN_INTERFACE_VERSION__=0x00040e00 $(INC) -fpie -fvisibility=hidden -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer \
	-fno-strict-aliasing -fno-common -fcf-protection=none -fno-asynchronous-unwind-tables -ffunction-sections \
	$(WARN)
CFLAGS_HOST := -std=gnu11 -O2 -g -D_GNU_SOURCE -isystem $(B)/include $(INC) -Itests/host -fno-strict-aliasing $(WARN) -Wno-missing-prototypes
CFLAGS_SAN := $(CFLAGS_HOST) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-gnu

HOSTFREE_OBJ := $(HOSTFREE_SRC:%.c=$(B)/%.o)
HV_OBJ := $(patsubst %.c,$(B)/%.o,$(patsubst %.S,$(B)/%.o,$(HV_SRC)))

all: $(B)/xen/vfr.elf tools guests bench-programs ## build everything that runs

.PHONY: all tools guests bench-programs deps check lint bench clean help
tools guests:

# libxen-dev's <xen/...> alone, so that nothing else of /usr/include is seen by freestanding code.
$(B)/include/xen: | $(B)/.deps
	@mkdir -p $(B)/include && ln -sfn /usr/include/xen $@

$(B)/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC_HV) $(CFLAGS_HV) -MMD -MP -c -o $@ $<

$(B)/%.o: %.S | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  AS   $<"
	@$(CC_HV) $(CFLAGS_HV) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

# --- the host-free code for host programs: the shipped objects, and sanitized twins ----------------------------------
$(B)/libcore.a: $(HOSTFREE_OBJ)
	@rm -f $@ && ar rcs $@ $^

$(B)/tests/host/env.o: CFLAGS_HV = $(CFLAGS_HOST)
$(B)/libenvhost.a: $(B)/tests/host/env.o
	@rm -f $@ && ar rcs $@ $^

$(B)/asan/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  ASAN $<"
	@$(CC_SAN) $(CFLAGS_SAN) -MMD -MP -c -o $@ $<

$(B)/fuzz/%.o: %.c | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  FUZZ $<"
	@$(CC_SAN) $(CFLAGS_SAN) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(B)/asan/libcore.a: $(HOSTFREE_SRC:%.c=$(B)/asan/%.o)
	@rm -f $@ && ar rcs $@ $^
$(B)/asan/libenvhost.a: $(B)/asan/tests/host/env.o
	@rm -f $@ && ar rcs $@ $^
$(B)/fuzz/libcore.a: $(HOSTFREE_SRC:%.c=$(B)/fuzz/%.o)
	@rm -f $@ && ar rcs $@ $^
$(B)/fuzz/libenvhost.a: $(B)/fuzz/tests/host/env.o
	@rm -f $@ && ar rcs $@ $^

# --- every folder's own rules -----------------------------------------------------------------------------------------
include $(sort $(wildcard mk/*.mk */build.mk */*/build.mk */*/*/build.mk))

# --- packages ---------------------------------------------------------------------------------------------------------
deps: $(B)/.deps ## install the Debian packages that build, tests and benchmarks need
$(B)/.deps: mk/deps.sh $(wildcard Makefile */build.mk */*/build.mk */*/*/build.mk)
	@mkdir -p $(B)
	@mk/deps.sh $(sort $(DEB_PKGS))
	@touch $@

# --- tests ------------------------------------------------------------------------------------------------------------
CHECK_DEPS := $(foreach c,$(CHECKS),$(check-$(c)-deps))
check: $(B)/.deps bench-programs $(CHECK_DEPS) ## run every test; ends with "N passed, N failed"
	@mkdir -p $(B)/check
	@: > $(B)/check/list
	@$(foreach c,$(CHECKS),printf '%s\t%s\n' '$(c)' '$(check-$(c))' >> $(B)/check/list;)
	@tests/run-checks $(B)/check

# One test alone: make check-one-NAME
check-one-%: $(B)/.deps
	@$(if $(filter $*,$(CHECKS)),:,echo "There is no test $*. There are: $(sort $(CHECKS))" >&2; exit 1)
	@$(MAKE) --no-print-directory $(check-$*-deps)
	$(check-$*)

lint: $(B)/include/xen ## the rules of docs/STYLE.md that a program can check, and the size report
	@mk/lint.sh $(CC_HV) $(CFLAGS_HV) -Wno-unused-function -Wno-missing-prototypes

bench: $(B)/.deps $(foreach c,$(BENCHES),$(bench-$(c)-deps)) ## run the measurements: ours, the peer's, the ratio
	@printf 'name\tours\tpeer\tratio\tgoal\tmet\n'
	@$(foreach c,$(BENCHES),$(bench-$(c));)

help: ## this list
	@grep -hE '^[a-z][a-z0-9-]*:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}' | sort -u
	@echo "  make check-one-NAME       one test: $(sort $(CHECKS))" | fmt -w 120 | sed '2,$$s/^/                            /'

clean: ## remove all that was built
	rm -rf $(B)

DEPFILES := $(HOSTFREE_OBJ:.o=.d) $(HV_OBJ:.o=.d) $(HOSTFREE_SRC:%.c=$(B)/asan/%.d) $(HOSTFREE_SRC:%.c=$(B)/fuzz/%.d)
-include $(wildcard $(DEPFILES))

# SPDX-License-Identifier: BSD-2-Clause
# The guest kernel, the guests built on it and the test guests. Everything goes to build/guest.

G := $(B)/guest
DEB_PKGS += xz-utils dpkg-dev

GUEST_INC := -D__XEN_INTERFACE_VERSION__=0x00040e00 -isystem xen/include/libc -isystem $(GCC_INC) -isystem $(B)/include -Iguest/kernel
CFLAGS_GUEST := -std=gnu11 -O2 -g -ffreestanding -nostdinc $(GUEST_INC) -fno-pie -mcmodel=small -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fno-strict-aliasing -fno-common -fcf-protection=none \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections $(WARN)
LDFLAGS_GUEST := -static -no-pie -nostdlib -z noexecstack -z max-page-size=4096 --gc-sections --build-id=none -T guest/kernel/link.lds

GUEST_KERNEL_SRC := $(sort $(wildcard guest/kernel/*.c guest/kernel/*.S)) xen/lib/string.c xen/lib/printf.c
GUEST_KERNEL_OBJ := $(patsubst %,$(G)/obj/%.o,$(basename $(GUEST_KERNEL_SRC)))
GUEST_TEST_LIB_OBJ := $(patsubst %.c,$(G)/obj/%.o,$(sort $(wildcard guest/tests/lib/*.c)))
GUEST_TESTS := $(patsubst guest/tests/%/main.c,%,$(sort $(wildcard guest/tests/*/main.c)))
GUEST_TEST_ELF := $(GUEST_TESTS:%=$(G)/tests/%.elf)

$(G)/obj/%.o: %.c guest/build.mk | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  CC   $< (guest)"
	@$(CC_HV) $(CFLAGS_GUEST) -MMD -MP -c -o $@ $<

$(G)/obj/%.o: %.S guest/build.mk | $(B)/include/xen
	@mkdir -p $(@D)
	@echo "  AS   $< (guest)"
	@$(CC_HV) $(CFLAGS_GUEST) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

$(G)/kernel.a: $(GUEST_KERNEL_OBJ)
	@rm -f $@ && ar rcs $@ $^

$(G)/obj/guest/tests/%.o: CFLAGS_GUEST += -Iguest/tests/lib

# A guest is its objects, the kernel, and the entry, which nothing refers to. The symbols stay in the .sym file beside it.
define guest-link
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@ld $(LDFLAGS_GUEST) -o $@.sym $(G)/obj/guest/kernel/entry.o $(filter %.o,$^) $(filter %/lwip.a,$^) $(G)/kernel.a
	@objcopy --strip-all $@.sym $@
endef

$(GUEST_TEST_ELF): $(G)/tests/%.elf: $(G)/obj/guest/tests/%/main.o $(GUEST_TEST_LIB_OBJ) $(G)/kernel.a guest/kernel/link.lds
	$(guest-link)

# --- lwIP, fetched and never kept, and the guests on it ---------------------------------------------------------------
LWIP := $(G)/lwip/src
LWIP_NAMES := core/def core/inet_chksum core/init core/ip core/mem core/memp core/netif core/pbuf core/tcp core/tcp_in core/tcp_out \
	core/timeouts core/udp core/ipv4/etharp core/ipv4/icmp core/ipv4/ip4 core/ipv4/ip4_addr core/ipv4/ip4_frag netif/ethernet
LWIP_OBJ := $(LWIP_NAMES:%=$(G)/obj/lwip/%.o)
LWIP_INC := -Iguest/net -isystem $(LWIP)/src/include

$(LWIP)/FILES: guest/fetch-lwip | $(B)/.deps
	@echo "  GET  lwIP sources"
	@guest/fetch-lwip $(G)/lwip
	@touch $@

$(LWIP_OBJ): $(G)/obj/lwip/%.o: $(LWIP)/FILES guest/net/lwipopts.h guest/net/arch/cc.h
	@mkdir -p $(@D)
	@$(CC_HV) $(CFLAGS_GUEST) -w $(LWIP_INC) -c -o $@ $(LWIP)/src/$*.c

$(G)/lwip.a: $(LWIP_OBJ)
	@rm -f $@ && ar rcs $@ $^

GUEST_APP_OBJ := $(patsubst %.c,$(G)/obj/%.o,$(sort $(wildcard guest/apps/*.c guest/net/*.c)))
$(GUEST_APP_OBJ): $(LWIP)/FILES
$(GUEST_APP_OBJ): CFLAGS_GUEST += $(LWIP_INC) -Iguest/apps

$(G)/small.elf: $(addprefix $(G)/obj/guest/,apps/small.o apps/http.o apps/echo.o net/ethif.o) $(G)/kernel.a $(G)/lwip.a guest/kernel/link.lds
	$(guest-link)

$(G)/blast.elf: $(addprefix $(G)/obj/guest/,apps/blast.o apps/http.o apps/echo.o net/ethif.o) $(G)/kernel.a $(G)/lwip.a guest/kernel/link.lds
	$(guest-link)

$(G)/load.elf: $(addprefix $(G)/obj/guest/,apps/load.o apps/load_udp.o apps/load_http.o net/ethif.o) $(G)/kernel.a $(G)/lwip.a guest/kernel/link.lds
	$(guest-link)

.SECONDARY: $(GUEST_TESTS:%=$(G)/obj/guest/tests/%/main.o)

.PHONY: test-guests
test-guests: $(GUEST_TEST_ELF)
guests: test-guests $(G)/small.elf $(G)/load.elf $(G)/blast.elf

-include $(wildcard $(G)/obj/guest/*/*.d $(G)/obj/guest/*/*/*.d $(G)/obj/guest/*/*/*/*.d $(G)/obj/xen/lib/*.d)

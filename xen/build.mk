# SPDX-License-Identifier: BSD-2-Clause
# The hypervisor's image: linked twice, the second time with the names of its functions for backtraces.

HV_LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections --build-id=none
VFR_VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
HV_LIBGCC := $(shell $(CC_HV) -print-libgcc-file-name)

$(B)/xen/arch/x86/main.o: CFLAGS_HV += -DVFR_VERSION='"$(VFR_VERSION)"'

$(B)/xen/vfr.elf: $(HV_OBJ) $(HOSTFREE_OBJ) xen/arch/x86/vfr.lds mk/symbols.sh
	@echo "  LD   $@"
	@ld $(HV_LDFLAGS) -T xen/arch/x86/vfr.lds -o $@.1 $(HV_OBJ) $(HOSTFREE_OBJ) $(HV_LIBGCC)
	@mk/symbols.sh $@.1 > $@.sym.S
	@$(CC_HV) -c -o $@.sym.o $@.sym.S
	@ld $(HV_LDFLAGS) -T xen/arch/x86/vfr.lds -o $@ $(HV_OBJ) $(HOSTFREE_OBJ) $@.sym.o $(HV_LIBGCC)
	@rm -f $@.1

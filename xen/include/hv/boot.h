/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader handed over: memory map, modules by name, options. A module stays where it was loaded, so that a
 * domain can be built from it again.
 */
#ifndef HV_BOOT_H
#define HV_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hv/mm.h>

#define BOOT_MODULES_MAX 256
#define BOOT_REGIONS_MAX 64

struct boot_module {
	const char *name; /* the first word of the module's line in grub.cfg */
	paddr_t start;
	uint64_t size;
};

struct boot_region {
	paddr_t start, end;
};

struct boot_info {
	const char *cmdline;
	uint32_t nr_modules;
	struct boot_module modules[BOOT_MODULES_MAX];
	uint32_t nr_ram; /* usable RAM, as the firmware says; sorted */
	struct boot_region ram[BOOT_REGIONS_MAX];
	paddr_t rsdp;    /* address of a copy of the ACPI root pointer, 0: none */
	uint64_t info_start, info_end;
	uint64_t first_entry_ns; /* since the loader's hand-over: the first guest instruction; 0: not yet */
};

extern struct boot_info boot_info;

/* Module by name; NULL: no such module. */
const struct boot_module *boot_module_find(const char *name);
/* The value of "name=value" on the command line, copied to buf; false when it is not there. A bare word has value "". */
bool boot_option(const char *name, char *buf, size_t size);

#endif

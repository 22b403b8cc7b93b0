/* SPDX-License-Identifier: BSD-2-Clause */
/* The start info: magic, version, command line, memory map, tables. */
#include "test.h"
#include <string.h>

const char test_title[] = "start-info";

void test_main(void)
{
	unsigned int i, ram = 0;

	CHECK_EQ(start_info.magic, XEN_HVM_START_MAGIC_VALUE);
	CHECK(start_info.version >= 1, "version %u", start_info.version);
	CHECK_EQ(start_info.flags, 0);
	CHECK_EQ(start_info.nr_modules, 0);
	CHECK(!strcmp(cmdline, "alpha=1 beta=two gamma"), "'%s'", cmdline);
	CHECK(start_info.rsdp_paddr, "-");
	CHECK(start_info.memmap_entries >= 1, "-");
	for (i = 0; i < boot_memmap_entries; i++)
		if (boot_memmap[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
			ram += (unsigned int)(boot_memmap[i].size >> 20);
	CHECK(ram >= 15 && ram <= 17, "%u MiB of RAM", ram);
	CHECK_EQ(cmdline_number("alpha", 0), 1);
	CHECK_EQ(cmdline_number("none", 42), 42);
}

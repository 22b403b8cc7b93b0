/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware tables: found, whole, and with what a kernel needs to find its cpus. */
#include "test.h"
#include <string.h>
#include "acpi.h"
#include "smp.h"

const char test_title[] = "acpi";

static bool in_memory_map(uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < boot_memmap_entries; i++)
		if (addr >= boot_memmap[i].addr && addr < boot_memmap[i].addr + boot_memmap[i].size)
			return boot_memmap[i].type != XEN_HVM_MEMMAP_TYPE_RAM;
	return false;
}

void test_main(void)
{
	const struct acpi_rsdp *rsdp = acpi_rsdp();
	const struct acpi_header *t;
	unsigned int n;

	CHECK(rsdp != NULL, "no RSDP");
	if (!rsdp)
		return;
	CHECK(!memcmp(rsdp->signature, "RSD PTR ", 8), "-");
	CHECK(acpi_checksum_ok(rsdp, 20) && acpi_checksum_ok(rsdp, 36), "-");
	CHECK(rsdp->revision >= 2 && rsdp->xsdt, "revision %u", rsdp->revision);
	CHECK(in_memory_map((uint64_t)rsdp), "the tables lie outside the memory map or in RAM: %p", (const void *)rsdp);
	for (n = 0; (t = acpi_table(n)); n++) {
		printk("  %.4s at %p, %u bytes\n", t->signature, (const void *)t, t->length);
		CHECK(t->length >= sizeof(*t) && acpi_checksum_ok(t, t->length), "%.4s", t->signature);
	}
	CHECK(acpi_find("FACP") != NULL, "no FADT");
	CHECK(acpi_find("APIC") != NULL, "no MADT");
	CHECK_EQ(apic_id_of(0), 0);
	CHECK(apic_id_of(1) > 0, "one cpu only");
	CHECK_EQ(apic_id_of(2), -1);
}

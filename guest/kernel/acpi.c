/* SPDX-License-Identifier: BSD-2-Clause */
/* Walk RSDP -> XSDT -> tables. */
#include "acpi.h"
#include <string.h>
#include "kernel.h"

const struct acpi_rsdp *acpi_rsdp(void)
{
	return (const struct acpi_rsdp *)start_info.rsdp_paddr;
}

const struct acpi_header *acpi_table(unsigned int n)
{
	const struct acpi_rsdp *rsdp = acpi_rsdp();
	const struct acpi_header *xsdt;
	uint64_t addr;

	if (!rsdp || !rsdp->xsdt)
		return NULL;
	xsdt = (const struct acpi_header *)rsdp->xsdt;
	if (sizeof(*xsdt) + (n + 1) * 8 > xsdt->length)
		return NULL;
	memcpy(&addr, (const char *)(xsdt + 1) + n * 8, 8);
	return (const struct acpi_header *)addr;
}

const struct acpi_header *acpi_find(const char *signature)
{
	const struct acpi_header *t;
	unsigned int n;

	for (n = 0; (t = acpi_table(n)); n++)
		if (!memcmp(t->signature, signature, 4))
			return t;
	return NULL;
}

bool acpi_checksum_ok(const void *table, size_t len)
{
	const uint8_t *p = table;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

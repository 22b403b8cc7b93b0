/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware's tables, as far as the start info leads to them. */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t checksum2, reserved[3];
} __attribute__((packed));

const struct acpi_rsdp *acpi_rsdp(void);
/* => the N-th table of the root table, or NULL. */
const struct acpi_header *acpi_table(unsigned int n);
const struct acpi_header *acpi_find(const char *signature);
bool acpi_checksum_ok(const void *table, size_t len);
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's own ACPI tables, as far as needed: which CPUs there are. */
#ifndef ARCH_X86_ACPI_TABLES_H
#define ARCH_X86_ACPI_TABLES_H
#include <stdint.h>
/* APIC ids of the enabled CPUs, at most max; 0 when there are no usable tables. */
uint32_t acpi_cpu_ids(uint64_t rsdp, uint32_t *ids, uint32_t max);
#endif

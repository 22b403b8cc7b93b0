/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's physical address space, a function of its memory size alone:
 *
 *   0           RAM, up to 3.75 GiB
 *   0xfee00000  local APIC
 *   0xfeff0000  ACPI tables
 *   0xfeffd000  console ring, xenstore ring (reserved)
 *   4 GiB       the rest of the RAM
 *
 * What is below 4 GiB and not RAM lies in one 2 MiB piece, so that it costs one table page.
 */
#ifndef COMMON_LAYOUT_H
#define COMMON_LAYOUT_H

#include <stdint.h>

#include <hv/mm.h>

#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>

#define GUEST_LOW_RAM_END 0xf0000000UL
#define GUEST_HIGH_RAM    0x100000000UL
#define GUEST_LAPIC       0xfee00000UL
#define GUEST_ACPI        0xfeff0000UL
#define GUEST_ACPI_SIZE   PAGE_SIZE
#define GUEST_SPECIAL     0xfeffd000UL
#define GUEST_SPECIAL_END 0xff000000UL
#define GUEST_STORE_GFN   0xfeffeUL
#define GUEST_CONSOLE_GFN 0xfefffUL
#define GUEST_MEMMAP_MAX  6

static inline uint64_t layout_low_ram(uint64_t mem_bytes)
{
	return mem_bytes < GUEST_LOW_RAM_END ? mem_bytes : GUEST_LOW_RAM_END;
}

static inline uint64_t layout_high_ram(uint64_t mem_bytes)
{
	return mem_bytes - layout_low_ram(mem_bytes);
}

/* The highest frame number in use. */
static inline uint64_t layout_max_gfn(uint64_t mem_bytes)
{
	uint64_t high = layout_high_ram(mem_bytes);

	return ((high ? GUEST_HIGH_RAM + high : GUEST_SPECIAL_END) >> PAGE_SHIFT) - 1;
}

/* The memory map, sorted; returns the number of entries, at most GUEST_MEMMAP_MAX. */
static inline uint32_t layout_memmap(uint64_t mem_bytes, struct hvm_memmap_table_entry *e)
{
	uint32_t n = 0;

	e[n++] = (struct hvm_memmap_table_entry){ 0, layout_low_ram(mem_bytes), XEN_HVM_MEMMAP_TYPE_RAM, 0 };
	e[n++] = (struct hvm_memmap_table_entry){ GUEST_LAPIC, PAGE_SIZE, XEN_HVM_MEMMAP_TYPE_RESERVED, 0 };
	e[n++] = (struct hvm_memmap_table_entry){ GUEST_ACPI, GUEST_ACPI_SIZE, XEN_HVM_MEMMAP_TYPE_ACPI, 0 };
	e[n++] = (struct hvm_memmap_table_entry){ GUEST_SPECIAL, GUEST_SPECIAL_END - GUEST_SPECIAL,
						  XEN_HVM_MEMMAP_TYPE_RESERVED, 0 };
	if (layout_high_ram(mem_bytes))
		e[n++] = (struct hvm_memmap_table_entry){ GUEST_HIGH_RAM, layout_high_ram(mem_bytes),
							  XEN_HVM_MEMMAP_TYPE_RAM, 0 };
	return n;
}

#endif

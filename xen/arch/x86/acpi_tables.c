/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI 6.4, sections 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.8 (XSDT), 5.2.12 (MADT). Firmware is trusted, its lengths are not. */
#include "acpi_tables.h"

#include <string.h>

#include <hv/log.h>
#include <hv/mm.h>

#include <common/frame.h>

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
} __attribute__((packed));

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

#define TABLE_MAX (1u << 20)
enum { MADT_LAPIC = 0, MADT_X2APIC = 9 };
#define MADT_ENABLED 1u

static const struct header *table_at(uint64_t pa)
{
	uint64_t limit = frame_max_paddr() > 0x100000000UL ? frame_max_paddr() : 0x100000000UL;

	if (!pa || pa >= limit - sizeof(struct header))
		return NULL;
	const struct header *h = phys_to_virt(pa);
	return h->length >= sizeof(*h) && h->length <= TABLE_MAX && pa + h->length <= limit ? h : NULL;
}

static const struct header *find_table(const struct rsdp *r, const char *signature)
{
	bool wide = r->revision >= 2 && r->xsdt;
	const struct header *list = table_at(wide ? r->xsdt : r->rsdt);
	uint32_t width = wide ? 8 : 4;

	for (uint32_t at = sizeof(*list); list && at + width <= list->length; at += width) {
		uint64_t pa = 0;
		memcpy(&pa, (const uint8_t *)list + at, width);
		const struct header *h = table_at(pa);
		if (h && !memcmp(h->signature, signature, 4))
			return h;
	}
	return NULL;
}

uint32_t acpi_cpu_ids(uint64_t rsdp, uint32_t *ids, uint32_t max)
{
	const struct header *madt = rsdp ? find_table(phys_to_virt(rsdp), "APIC") : NULL;
	const uint8_t *base = (const uint8_t *)madt;
	uint32_t n = 0;

	for (uint32_t at = sizeof(*madt) + 8; madt && at + 2 <= madt->length; at += base[at + 1]) {
		const uint8_t *e = base + at;
		uint32_t id, flags;

		if (e[1] < 2 || at + e[1] > madt->length)
			break;
		if (e[0] == MADT_LAPIC && e[1] >= 8) {
			id = e[3];
			memcpy(&flags, e + 4, 4);
		} else if (e[0] == MADT_X2APIC && e[1] >= 16) {
			memcpy(&id, e + 4, 4);
			memcpy(&flags, e + 8, 4);
		} else {
			continue;
		}
		if ((flags & MADT_ENABLED) && n < max)
			ids[n++] = id;
	}
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's ACPI tables, in one page: RSDP, XSDT, FADT, MADT, DSDT.
 *
 * The machine is "hardware reduced": no legacy timer, no SCI, no fixed registers, no I/O APIC. What is left to say is how
 * many local APICs there are and how to power off (sleep state S5 through the sleep control register).
 */
#include <string.h>

#include <hv/subsys.h>

#include "abi.h"
#include "layout.h"

#define S5_TYPE 5u
#define SLEEP_ENABLE 0x20u

#define FADT_SIZE 276u
#define FADT_HW_REDUCED (1u << 20)
#define FADT_WBINVD (1u << 0)
#define BOOT_NO_VGA (1u << 2)
#define BOOT_NO_CMOS_RTC (1u << 5)

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));
static_assert(sizeof(struct acpi_header) == 36, "ACPI table header");

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));
static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI root pointer");

struct madt_lapic {
	uint8_t type, length;
	uint8_t processor_id, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
	struct madt_lapic lapic[MAX_VCPUS];
} __attribute__((packed));

/* Generic address: an I/O port of one byte. */
struct acpi_gas {
	uint8_t space, bit_width, bit_offset, access;
	uint64_t address;
} __attribute__((packed));

/* Places in the page. */
#define AT_RSDP 0x000
#define AT_XSDT 0x040
#define AT_FADT 0x080
#define AT_MADT 0x200
#define AT_DSDT 0x300
static_assert(AT_FADT + FADT_SIZE <= AT_MADT && AT_MADT + sizeof(struct madt) <= AT_DSDT, "tables do not overlap");

/* Name (_S5, Package (4) { 5, 5, 0, 0 }) */
static const uint8_t dsdt_code[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0a, S5_TYPE, 0x0a, S5_TYPE, 0x00, 0x00,
};

static uint8_t checksum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *b++);
	return (uint8_t)-sum;
}

static void finish(uint8_t *page, uint32_t at, const char *signature, uint8_t revision, uint32_t length)
{
	struct acpi_header *h = (struct acpi_header *)(page + at);

	memcpy(h->signature, signature, 4);
	h->length = length;
	h->revision = revision;
	memcpy(h->oem_id, "VFRv2 ", 6);
	memcpy(h->oem_table_id, "VFRGUEST", 8);
	h->oem_revision = 1;
	memcpy(h->creator_id, "VFR2", 4);
	h->creator_revision = 1;
	h->checksum = checksum(h, length);
}

static void put(uint8_t *table, unsigned offset, uint64_t value, unsigned bytes)
{
	memcpy(table + offset, &value, bytes);
}

static void put_port(uint8_t *table, unsigned offset, uint16_t port)
{
	struct acpi_gas gas = { .space = 1, .bit_width = 8, .access = 1, .address = port };

	memcpy(table + offset, &gas, sizeof(gas));
}

/* Offsets of ACPI 6, table "FADT format". */
static void fill_fadt(uint8_t *page)
{
	uint8_t *t = page + AT_FADT;

	put(t, 40, GUEST_ACPI + AT_DSDT, 4);
	put(t, 109, BOOT_NO_VGA | BOOT_NO_CMOS_RTC, 2);
	put(t, 112, FADT_WBINVD | FADT_HW_REDUCED, 4);
	put(t, 131, 1, 1); /* minor version: 6.1 */
	put(t, 140, GUEST_ACPI + AT_DSDT, 8);
	put_port(t, 244, ACPI_SLEEP_CONTROL_PORT);
	put_port(t, 256, ACPI_SLEEP_STATUS_PORT);
	finish(page, AT_FADT, "FACP", 6, FADT_SIZE);
}

static void fill_madt(uint8_t *page, uint32_t nr_vcpus)
{
	struct madt *m = (struct madt *)(page + AT_MADT);

	m->lapic_address = GUEST_LAPIC;
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		m->lapic[i] = (struct madt_lapic){
			.type = 0, .length = sizeof(m->lapic[i]), .processor_id = (uint8_t)i,
			.apic_id = (uint8_t)vcpu_apic_id(i), .flags = 1,
		};
	}
	finish(page, AT_MADT, "APIC", 4, (uint32_t)(offsetof(struct madt, lapic) + nr_vcpus * sizeof(m->lapic[0])));
}

static void fill_xsdt(uint8_t *page)
{
	put(page + AT_XSDT, sizeof(struct acpi_header), GUEST_ACPI + AT_FADT, 8);
	put(page + AT_XSDT, sizeof(struct acpi_header) + 8, GUEST_ACPI + AT_MADT, 8);
	finish(page, AT_XSDT, "XSDT", 1, sizeof(struct acpi_header) + 16);
}

static void fill_rsdp(uint8_t *page)
{
	struct acpi_rsdp *r = (struct acpi_rsdp *)(page + AT_RSDP);

	memcpy(r->signature, "RSD PTR ", 8);
	memcpy(r->oem_id, "VFRv2 ", 6);
	r->revision = 2;
	r->length = sizeof(*r);
	r->xsdt = GUEST_ACPI + AT_XSDT;
	r->checksum = checksum(r, 20);
	r->extended_checksum = checksum(r, sizeof(*r));
}

uint64_t acpi_build(struct domain *d)
{
	uint8_t *page = shared_page_alloc();

	if (!page)
		return 0;
	memcpy(page + AT_DSDT + sizeof(struct acpi_header), dsdt_code, sizeof(dsdt_code));
	finish(page, AT_DSDT, "DSDT", 2, sizeof(struct acpi_header) + sizeof(dsdt_code));
	fill_madt(page, d->nr_vcpus);
	fill_fadt(page);
	fill_xsdt(page);
	fill_rsdp(page);
	/* The guest's map holds the page from now on. */
	int rc = p2m_map_frame(d, GUEST_ACPI >> PAGE_SHIFT, page_mfn(page), P2M_SPECIAL);
	put_page(page);
	return rc ? 0 : GUEST_ACPI + AT_RSDP;
}

void acpi_sleep_write(struct domain *d, uint8_t value)
{
	if ((value & SLEEP_ENABLE) && (value >> 2 & 7) == S5_TYPE)
		domain_shutdown(d, STOP_POWEROFF);
}

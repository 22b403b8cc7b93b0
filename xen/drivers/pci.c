/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration by the ports 0xCF8/0xCFC, the scan, BARs.
 *
 * The firmware has assigned the BARs and the bus numbers; they are used as found. The scan follows bridges by their
 * secondary bus number, so it works on a flat i440FX as on a q35 with root ports. The ports are used at boot only, by
 * one CPU, so there is no lock.
 */
#include <errno.h>
#include <string.h>
#include <stdio.h>

#include <hv/io.h>
#include <hv/log.h>
#include <drivers/pci.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc

#define PCI_COMMAND         0x04
#define PCI_COMMAND_MEMORY  0x0002
#define PCI_COMMAND_MASTER  0x0004
#define PCI_COMMAND_NO_INTX 0x0400
#define PCI_STATUS          0x06
#define PCI_STATUS_CAPS     0x0010
#define PCI_CLASS           0x08
#define PCI_HEADER_TYPE     0x0e
#define PCI_HEADER_MULTI    0x80
#define PCI_BAR0            0x10
#define PCI_SECONDARY_BUS   0x19
#define PCI_CAP_PTR         0x34

#define PCI_CLASS_BRIDGE 0x06
#define PCI_BRIDGE_PCI   0x04

#define PCI_CAPS_MAX 48 /* as many as fit: a list that is longer is a loop */
#define PCI_BUS_DEPTH 8

static void select_register(const struct pci_dev *d, uint8_t off)
{
	outl(CONFIG_ADDRESS, 0x80000000u | (uint32_t)d->bus << 16 | (uint32_t)d->dev << 11 | (uint32_t)d->fn << 8 | (off & 0xfcu));
}

uint32_t pci_read32(const struct pci_dev *d, uint8_t off)
{
	select_register(d, off);
	return inl(CONFIG_DATA);
}

uint16_t pci_read16(const struct pci_dev *d, uint8_t off)
{
	select_register(d, off);
	return inw(CONFIG_DATA + (off & 2));
}

uint8_t pci_read8(const struct pci_dev *d, uint8_t off)
{
	select_register(d, off);
	return inb(CONFIG_DATA + (off & 3));
}

void pci_write32(const struct pci_dev *d, uint8_t off, uint32_t v)
{
	select_register(d, off);
	outl(CONFIG_DATA, v);
}

void pci_write16(const struct pci_dev *d, uint8_t off, uint16_t v)
{
	select_register(d, off);
	outw(CONFIG_DATA + (off & 2), v);
}

uint8_t pci_find_cap(const struct pci_dev *d, uint8_t id, uint8_t after)
{
	uint8_t pos;

	if (after)
		pos = pci_read8(d, after + 1);
	else if (pci_read16(d, PCI_STATUS) & PCI_STATUS_CAPS)
		pos = pci_read8(d, PCI_CAP_PTR);
	else
		return 0;
	for (unsigned int i = 0; i < PCI_CAPS_MAX; i++) {
		pos &= 0xfc;
		if (pos < 0x40)
			return 0;
		if (pci_read8(d, pos) == id)
			return pos;
		pos = pci_read8(d, pos + 1);
	}
	return 0;
}

/* => the size mask that a BAR register answers when ones are written; the value is put back. */
static uint32_t probe_bar(const struct pci_dev *d, uint8_t reg, uint32_t value)
{
	uint32_t mask;

	pci_write32(d, reg, 0xffffffffu);
	mask = pci_read32(d, reg);
	pci_write32(d, reg, value);
	return mask;
}

/* Sizing needs the decoders off: for a moment the BAR holds nonsense. */
static void size_bars(struct pci_dev *d)
{
	uint16_t command = pci_read16(d, PCI_COMMAND);

	pci_write16(d, PCI_COMMAND, command & ~3u);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *b = &d->bar[i];
		uint8_t reg = PCI_BAR0 + 4 * i;
		uint32_t low = pci_read32(d, reg), mask = probe_bar(d, reg, low);
		uint64_t wide = 0xffffffff00000000UL;

		if (!mask)
			continue;
		b->io = low & 1;
		if (b->io) {
			b->base = low & ~3u;
			b->size = (uint16_t)(~(mask & ~3u) + 1);
			continue;
		}
		b->base = low & ~15u;
		if ((low & 6) == 4 && i + 1 < PCI_BARS) {
			uint32_t high = pci_read32(d, reg + 4);

			b->base |= (uint64_t)high << 32;
			wide = (uint64_t)probe_bar(d, reg + 4, high) << 32;
			i++;
		}
		b->size = ~(wide | (mask & ~15u)) + 1;
	}
	pci_write16(d, PCI_COMMAND, command);
}

uint8_t *pci_map_bar(struct pci_dev *d, unsigned int bar, uint64_t off, uint64_t len)
{
	struct pci_bar *b;

	if (bar >= PCI_BARS)
		return NULL;
	b = &d->bar[bar];
	if (b->io || !b->size || !b->base || off > b->size || len > b->size - off)
		return NULL;
	if (!b->va)
		b->va = mmio_map(b->base, b->size);
	return b->va ? b->va + off : NULL;
}

void pci_enable(struct pci_dev *d)
{
	pci_write16(d, PCI_COMMAND, pci_read16(d, PCI_COMMAND) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
}

void pci_disable(struct pci_dev *d)
{
	pci_write16(d, PCI_COMMAND, pci_read16(d, PCI_COMMAND) & ~PCI_COMMAND_MASTER);
}

struct scan {
	const struct pci_driver *const *drivers;
	unsigned int n;
	unsigned int found;
};

static void offer(struct scan *s, const struct pci_dev *found)
{
	for (unsigned int i = 0; i < s->n; i++) {
		const struct pci_driver *drv = s->drivers[i];
		struct pci_dev *d;

		if (drv->vendor != found->vendor || drv->device != found->device)
			continue;
		d = env_alloc(sizeof(*d));
		if (!d) {
			log_error("pci %s: no memory for %s", found->name, drv->name);
			return;
		}
		*d = *found;
		size_bars(d);
		if (drv->probe(d)) {
			pci_disable(d);
			env_free(d, sizeof(*d));
		}
		return;
	}
}

static void scan_bus(struct scan *s, uint8_t bus, unsigned int depth);

static bool scan_function(struct scan *s, uint8_t bus, uint8_t dev, uint8_t fn, unsigned int depth)
{
	struct pci_dev d = { .bus = bus, .dev = dev, .fn = fn };
	uint32_t id = pci_read32(&d, 0), class;

	if ((id & 0xffff) == 0xffff)
		return false;
	d.vendor = (uint16_t)id;
	d.device = (uint16_t)(id >> 16);
	class = pci_read32(&d, PCI_CLASS);
	d.class_code = (uint8_t)(class >> 24);
	d.subclass = (uint8_t)(class >> 16);
	snprintf(d.name, sizeof(d.name), "%02x:%02x.%x", bus, dev, fn);
	log_debug("pci %s: %04x:%04x class %02x%02x", d.name, d.vendor, d.device, d.class_code, d.subclass);
	s->found++;
	if (d.class_code == PCI_CLASS_BRIDGE && d.subclass == PCI_BRIDGE_PCI) {
		uint8_t secondary = pci_read8(&d, PCI_SECONDARY_BUS);

		if (secondary > bus && depth < PCI_BUS_DEPTH)
			scan_bus(s, secondary, depth + 1);
	} else {
		offer(s, &d);
	}
	return true;
}

static void scan_bus(struct scan *s, uint8_t bus, unsigned int depth)
{
	for (uint8_t dev = 0; dev < 32; dev++) {
		struct pci_dev d = { .bus = bus, .dev = dev };

		if (!scan_function(s, bus, dev, 0, depth) || !(pci_read8(&d, PCI_HEADER_TYPE) & PCI_HEADER_MULTI))
			continue;
		for (uint8_t fn = 1; fn < 8; fn++)
			scan_function(s, bus, dev, fn, depth);
	}
}

void pci_scan(const struct pci_driver *const *drivers, unsigned int n)
{
	struct scan s = { .drivers = drivers, .n = n };

	scan_bus(&s, 0, 0);
	if (!s.found)
		log_error("pci: no configuration mechanism, no devices");
}

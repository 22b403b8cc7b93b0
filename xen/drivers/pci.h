/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: functions found by a scan, their configuration space, BARs and message-signalled interrupts.
 */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hv/mm.h>

#define PCI_BARS 6

struct pci_bar {
	paddr_t base;
	uint64_t size; /* 0: not there */
	bool io;
	uint8_t *va;   /* after pci_map_bar() */
};

struct pci_dev {
	uint8_t bus, dev, fn;
	uint16_t vendor, device;
	uint8_t class_code, subclass;
	struct pci_bar bar[PCI_BARS];
	/* MSI-X, when msix_entries is not 0 */
	uint8_t msix_cap;
	uint16_t msix_entries;
	uint8_t *msix_table;
	char name[12]; /* 00:03.0 */
};

struct pci_driver {
	uint16_t vendor, device;
	const char *name;
	/* => keeps *dev (it is never freed) and returns 0, or -errno after it has said why in the log. */
	int (*probe)(struct pci_dev *dev);
};

/* Find every function on every bus and offer it to the drivers in turn. */
void pci_scan(const struct pci_driver *const *drivers, unsigned int n);

uint8_t pci_read8(const struct pci_dev *d, uint8_t off);
uint16_t pci_read16(const struct pci_dev *d, uint8_t off);
uint32_t pci_read32(const struct pci_dev *d, uint8_t off);
void pci_write16(const struct pci_dev *d, uint8_t off, uint16_t v);
void pci_write32(const struct pci_dev *d, uint8_t off, uint32_t v);

/* Offset of the first capability `id` after offset `after` (0: from the start), or 0. */
uint8_t pci_find_cap(const struct pci_dev *d, uint8_t id, uint8_t after);
/* Virtual address of `len` bytes at `off` of a memory BAR; NULL when it is no such range. */
uint8_t *pci_map_bar(struct pci_dev *d, unsigned int bar, uint64_t off, uint64_t len);
/* Let the device answer memory cycles and do DMA. */
void pci_enable(struct pci_dev *d);
void pci_disable(struct pci_dev *d);

/* => 0 when the function has MSI-X and its table is mapped, every entry masked. */
int msix_init(struct pci_dev *d);
/* => entry `n` interrupts `cpu` and calls fn(arg) there. */
int msix_route(struct pci_dev *d, unsigned int n, uint32_t cpu, void (*fn)(void *arg), void *arg, const char *name);

#endif

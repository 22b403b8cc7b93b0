/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X: the table of a function's interrupt messages. An entry is written while it is masked, and unmasked last.
 */
#include <errno.h>

#include <hv/io.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <drivers/pci.h>

#define PCI_CAP_MSIX 0x11

#define MSIX_CONTROL         2
#define MSIX_CONTROL_ENABLE  0x8000
#define MSIX_CONTROL_MASKALL 0x4000
#define MSIX_CONTROL_SIZE    0x07ff
#define MSIX_TABLE           4

#define MSIX_ENTRY      16
#define MSIX_ENTRY_ADDR 0
#define MSIX_ENTRY_HIGH 4
#define MSIX_ENTRY_DATA 8
#define MSIX_ENTRY_CTRL 12
#define MSIX_CTRL_MASK  1u

int msix_init(struct pci_dev *d)
{
	uint8_t cap = pci_find_cap(d, PCI_CAP_MSIX, 0);
	uint16_t control;
	uint32_t where;

	if (!cap)
		return -ENODEV;
	control = pci_read16(d, cap + MSIX_CONTROL);
	where = pci_read32(d, cap + MSIX_TABLE);
	d->msix_entries = (control & MSIX_CONTROL_SIZE) + 1;
	d->msix_table = pci_map_bar(d, where & 7, where & ~7u, (uint64_t)d->msix_entries * MSIX_ENTRY);
	if (!d->msix_table) {
		d->msix_entries = 0;
		return -EINVAL;
	}
	d->msix_cap = cap;
	pci_write16(d, cap + MSIX_CONTROL, control | MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASKALL);
	for (unsigned int i = 0; i < d->msix_entries; i++)
		mmio_write32(d->msix_table + i * MSIX_ENTRY + MSIX_ENTRY_CTRL, MSIX_CTRL_MASK);
	pci_write16(d, cap + MSIX_CONTROL, (control | MSIX_CONTROL_ENABLE) & ~MSIX_CONTROL_MASKALL);
	return 0;
}

int msix_route(struct pci_dev *d, unsigned int n, uint32_t cpu, void (*fn)(void *arg), void *arg, const char *name)
{
	struct msi_message msg;
	uint8_t *entry;
	int rc;

	if (n >= d->msix_entries)
		return -EINVAL;
	rc = irq_alloc_msi(cpu, fn, arg, name, &msg);
	if (rc)
		return rc;
	entry = d->msix_table + n * MSIX_ENTRY;
	mmio_write32(entry + MSIX_ENTRY_ADDR, (uint32_t)msg.address);
	mmio_write32(entry + MSIX_ENTRY_HIGH, (uint32_t)(msg.address >> 32));
	mmio_write32(entry + MSIX_ENTRY_DATA, msg.data);
	mmio_write32(entry + MSIX_ENTRY_CTRL, 0);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-console, as PCI device 0x1043 (modern) or 0x1003 (transitional, used by its modern registers).
 */
#ifndef DRIVERS_VIRTIO_CONSOLE_H
#define DRIVERS_VIRTIO_CONSOLE_H

#include <drivers/pci.h>

extern const struct pci_driver virtio_console_driver, virtio_console_transitional_driver;

#endif

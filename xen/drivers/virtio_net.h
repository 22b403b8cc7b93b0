/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-net, as PCI device 0x1041 (modern) or 0x1000 (transitional, used by its modern registers).
 */
#ifndef DRIVERS_VIRTIO_NET_H
#define DRIVERS_VIRTIO_NET_H

#include <drivers/pci.h>

extern const struct pci_driver virtio_net_driver, virtio_net_transitional_driver;

#endif

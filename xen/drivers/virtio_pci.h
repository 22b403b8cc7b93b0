/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio over PCI (modern only): the transport that virtio-net and virtio-console share.
 */
#ifndef DRIVERS_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include <drivers/pci.h>
#include <drivers/virtqueue.h>

#define VIRTIO_PCI_VENDOR 0x1af4

#define VIRTIO_F_EVENT_IDX 29
#define VIRTIO_F_VERSION_1 32

#define VIRTIO_BIT(n) (1UL << (n))

struct virtio_dev {
	struct pci_dev *pci;
	const char *name;           /* for the log */
	volatile uint8_t *common;
	volatile uint8_t *notify;
	volatile uint8_t *config;   /* the device class's own registers */
	uint32_t notify_multiplier;
	uint64_t notify_len;
	uint32_t config_len;
	uint64_t offered;
	uint64_t features;          /* agreed */
	uint16_t queues;            /* as many as the device has */
};

/* => maps and resets the device; vd->offered are its features. */
int virtio_begin(struct virtio_dev *vd, struct pci_dev *pci, const char *name);
/* => agree on those of `wanted` that are offered, or refuse a device without all of `needed`. */
int virtio_agree(struct virtio_dev *vd, uint64_t wanted, uint64_t needed);
/* => allocates queue `index` of at most `max_size` entries and tells the device. MSI-X entry `vector`. */
int virtio_queue(struct virtio_dev *vd, struct virtqueue *vq, uint16_t index, uint16_t max_size, uint16_t vector);
/* => changes of the device's configuration interrupt by MSI-X entry `vector`. */
int virtio_config_vector(struct virtio_dev *vd, uint16_t vector);
/* => from here the device works. -EIO when it refuses. */
int virtio_ready(struct virtio_dev *vd);
/* => stop it for good: the device says FAILED in its status and holds no memory of ours. */
void virtio_fail(struct virtio_dev *vd);

static inline bool virtio_has(const struct virtio_dev *vd, unsigned int bit)
{
	return vd->features >> bit & 1;
}

#endif

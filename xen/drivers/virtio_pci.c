/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio over PCI: finding the register blocks by the vendor capabilities (virtio 1.1, 4.1.4), the initialisation
 * sequence (3.1), queues.
 */
#include <errno.h>

#include <hv/io.h>
#include <hv/log.h>
#include <hv/timer.h>
#include <drivers/virtio_pci.h>

#define PCI_CAP_VENDOR 0x09

#define CAP_TYPE   3
#define CAP_BAR    4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_NOTIFY_MULTIPLIER 16

enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_DEVICE = 4 };

/* The common configuration block (4.1.4.3). */
#define COMMON_DEVICE_FEATURE_SELECT 0
#define COMMON_DEVICE_FEATURE        4
#define COMMON_DRIVER_FEATURE_SELECT 8
#define COMMON_DRIVER_FEATURE        12
#define COMMON_MSIX_CONFIG           16
#define COMMON_NUM_QUEUES            18
#define COMMON_STATUS                20
#define COMMON_QUEUE_SELECT          22
#define COMMON_QUEUE_SIZE            24
#define COMMON_QUEUE_MSIX_VECTOR     26
#define COMMON_QUEUE_ENABLE          28
#define COMMON_QUEUE_NOTIFY_OFF      30
#define COMMON_QUEUE_DESC            32
#define COMMON_QUEUE_DRIVER          40
#define COMMON_QUEUE_DEVICE          48
#define COMMON_LENGTH                56

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8
#define STATUS_FAILED      128

#define NO_VECTOR 0xffff
#define RESET_TRIES 1000

static int find_blocks(struct virtio_dev *vd)
{
	struct pci_dev *pci = vd->pci;

	for (uint8_t cap = pci_find_cap(pci, PCI_CAP_VENDOR, 0); cap; cap = pci_find_cap(pci, PCI_CAP_VENDOR, cap)) {
		uint8_t type = pci_read8(pci, cap + CAP_TYPE), bar = pci_read8(pci, cap + CAP_BAR);
		uint32_t off = pci_read32(pci, cap + CAP_OFFSET), len = pci_read32(pci, cap + CAP_LENGTH);

		if (type == CAP_COMMON && !vd->common && len >= COMMON_LENGTH) {
			vd->common = pci_map_bar(pci, bar, off, len);
		} else if (type == CAP_NOTIFY && !vd->notify) {
			vd->notify = pci_map_bar(pci, bar, off, len);
			vd->notify_len = len;
			vd->notify_multiplier = pci_read32(pci, cap + CAP_NOTIFY_MULTIPLIER);
		} else if (type == CAP_DEVICE && !vd->config) {
			vd->config = pci_map_bar(pci, bar, off, len);
			vd->config_len = len;
		}
	}
	return vd->common && vd->notify && vd->config ? 0 : -ENODEV;
}

static void set_status(struct virtio_dev *vd, uint8_t bits)
{
	mmio_write8(vd->common + COMMON_STATUS, mmio_read8(vd->common + COMMON_STATUS) | bits);
}

static int reset(struct virtio_dev *vd)
{
	mmio_write8(vd->common + COMMON_STATUS, 0);
	for (unsigned int i = 0; i < RESET_TRIES; i++) {
		if (!mmio_read8(vd->common + COMMON_STATUS))
			return 0;
		time_delay_us(10);
	}
	return -ETIMEDOUT;
}

static uint64_t read_offered(struct virtio_dev *vd)
{
	uint64_t bits;

	mmio_write32(vd->common + COMMON_DEVICE_FEATURE_SELECT, 0);
	bits = mmio_read32(vd->common + COMMON_DEVICE_FEATURE);
	mmio_write32(vd->common + COMMON_DEVICE_FEATURE_SELECT, 1);
	return bits | (uint64_t)mmio_read32(vd->common + COMMON_DEVICE_FEATURE) << 32;
}

int virtio_begin(struct virtio_dev *vd, struct pci_dev *pci, const char *name)
{
	int rc;

	*vd = (struct virtio_dev){ .pci = pci, .name = name };
	pci_enable(pci);
	rc = find_blocks(vd);
	if (rc) {
		log_error("%s %s: no modern virtio registers (is it a legacy device?)", name, pci->name);
		return rc;
	}
	rc = reset(vd);
	if (rc) {
		log_error("%s %s: does not finish its reset", name, pci->name);
		return rc;
	}
	set_status(vd, STATUS_ACKNOWLEDGE);
	set_status(vd, STATUS_DRIVER);
	rc = msix_init(pci);
	if (rc) {
		log_error("%s %s: no MSI-X", name, pci->name);
		return rc;
	}
	vd->queues = mmio_read16(vd->common + COMMON_NUM_QUEUES);
	vd->offered = read_offered(vd);
	return 0;
}

int virtio_agree(struct virtio_dev *vd, uint64_t wanted, uint64_t needed)
{
	needed |= VIRTIO_BIT(VIRTIO_F_VERSION_1);
	vd->features = vd->offered & (wanted | needed);
	if (needed & ~vd->features) {
		log_error("%s %s: features %lx are missing", vd->name, vd->pci->name, needed & ~vd->features);
		return -ENODEV;
	}
	mmio_write32(vd->common + COMMON_DRIVER_FEATURE_SELECT, 0);
	mmio_write32(vd->common + COMMON_DRIVER_FEATURE, (uint32_t)vd->features);
	mmio_write32(vd->common + COMMON_DRIVER_FEATURE_SELECT, 1);
	mmio_write32(vd->common + COMMON_DRIVER_FEATURE, (uint32_t)(vd->features >> 32));
	set_status(vd, STATUS_FEATURES_OK);
	if (!(mmio_read8(vd->common + COMMON_STATUS) & STATUS_FEATURES_OK)) {
		log_error("%s %s: the device refuses features %lx", vd->name, vd->pci->name, vd->features);
		return -EIO;
	}
	return 0;
}

static void write64(volatile uint8_t *p, uint64_t v)
{
	mmio_write32(p, (uint32_t)v);
	mmio_write32(p + 4, (uint32_t)(v >> 32));
}

int virtio_queue(struct virtio_dev *vd, struct virtqueue *vq, uint16_t index, uint16_t max_size, uint16_t vector)
{
	volatile uint8_t *c = vd->common;
	uint64_t doorbell;
	uint16_t size;
	int rc;

	if (index >= vd->queues)
		return -ENODEV;
	mmio_write16(c + COMMON_QUEUE_SELECT, index);
	size = mmio_read16(c + COMMON_QUEUE_SIZE);
	if (!size || (size & (size - 1)))
		return -ENODEV;
	if (size > max_size)
		size = max_size;
	doorbell = (uint64_t)mmio_read16(c + COMMON_QUEUE_NOTIFY_OFF) * vd->notify_multiplier;
	if (doorbell + 2 > vd->notify_len)
		return -EINVAL;
	rc = virtqueue_alloc(vq, index, size, virtio_has(vd, VIRTIO_F_EVENT_IDX));
	if (rc)
		return rc;
	vq->doorbell = (volatile uint16_t *)(vd->notify + doorbell);
	mmio_write16(c + COMMON_QUEUE_SIZE, size);
	mmio_write16(c + COMMON_QUEUE_MSIX_VECTOR, vector);
	if (mmio_read16(c + COMMON_QUEUE_MSIX_VECTOR) == NO_VECTOR)
		return -EIO;
	write64(c + COMMON_QUEUE_DESC, virt_to_phys(vq->desc));
	write64(c + COMMON_QUEUE_DRIVER, virt_to_phys((const void *)vq->avail));
	write64(c + COMMON_QUEUE_DEVICE, virt_to_phys((const void *)vq->used));
	mmio_write16(c + COMMON_QUEUE_ENABLE, 1);
	return 0;
}

int virtio_config_vector(struct virtio_dev *vd, uint16_t vector)
{
	mmio_write16(vd->common + COMMON_MSIX_CONFIG, vector);
	return mmio_read16(vd->common + COMMON_MSIX_CONFIG) == NO_VECTOR ? -EIO : 0;
}

int virtio_ready(struct virtio_dev *vd)
{
	set_status(vd, STATUS_DRIVER_OK);
	return mmio_read8(vd->common + COMMON_STATUS) & STATUS_FAILED ? -EIO : 0;
}

void virtio_fail(struct virtio_dev *vd)
{
	if (!vd->common)
		return;
	mmio_write8(vd->common + COMMON_STATUS, 0);
	mmio_write8(vd->common + COMMON_STATUS, STATUS_FAILED);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-net (virtio 1.1, 5.1): one queue pair, checksum and segmentation offload both ways, mergeable buffers.
 *
 * The device's header lies in the NIC_HEADROOM right before the frame, so header and start of the frame are one
 * descriptor in both directions. Receive interrupts are asked for only when a poll has found the ring empty; send
 * interrupts only when somebody waits.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <env.h>
#include <hv/io.h>
#include <hv/log.h>
#include <drivers/nic.h>
#include <drivers/virtio_net.h>
#include <drivers/virtio_pci.h>

#define F_CSUM       0
#define F_GUEST_CSUM 1
#define F_MTU        3
#define F_MAC        5
#define F_GUEST_TSO4 7
#define F_GUEST_TSO6 8
#define F_HOST_TSO4  11
#define F_HOST_TSO6  12
#define F_MRG_RXBUF  15
#define F_STATUS     16

#define CONFIG_MAC    0
#define CONFIG_STATUS 6
#define CONFIG_MTU    10
#define STATUS_LINK_UP 1

#define HDR_NEEDS_CSUM 1
#define HDR_DATA_VALID 2
#define HDR_GSO_NONE   0
#define HDR_GSO_TCPV4  1
#define HDR_GSO_TCPV6  4
#define HDR_GSO_ECN    0x80

struct virtio_net_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};
_Static_assert(sizeof(struct virtio_net_hdr) == NIC_HEADROOM, "the header fills the headroom");

enum { QUEUE_RX, QUEUE_TX };
enum { VECTOR_CONFIG, VECTOR_RX, VECTOR_TX, VECTORS };

#define QUEUE_MAX 1024
#define MTU_DEFAULT 1500
#define MTU_MIN 576

struct virtio_net {
	struct nic nic;
	struct virtio_dev dev;
	struct virtqueue rx, tx;
};

static unsigned int nr_cards;

static struct virtio_net *to_vn(const struct nic *nic)
{
	return (struct virtio_net *)((char *)(uintptr_t)nic - offsetof(struct virtio_net, nic));
}

static int vn_rx_post(struct nic *nic, paddr_t pa, uint32_t len, void *token)
{
	struct vq_seg seg = { pa, len };

	return virtqueue_add(&to_vn(nic)->rx, &seg, 0, 1, token);
}

static unsigned int vn_rx_room(const struct nic *nic)
{
	return to_vn(nic)->rx.free;
}

static void vn_rx_kick(struct nic *nic)
{
	if (virtqueue_kick(&to_vn(nic)->rx))
		nic->kicks++;
}

static void read_meta(const struct virtio_net_hdr *h, struct nic_meta *meta)
{
	*meta = (struct nic_meta){ .csum = NIC_CSUM_FULL };
	if (h->flags & HDR_NEEDS_CSUM) {
		meta->csum = NIC_CSUM_PARTIAL;
		meta->csum_start = h->csum_start;
		meta->csum_offset = h->csum_offset;
	} else if (h->flags & HDR_DATA_VALID) {
		meta->csum = NIC_CSUM_VERIFIED;
	}
	switch (h->gso_type & ~HDR_GSO_ECN) {
	case HDR_GSO_TCPV4:
		meta->gso = NIC_GSO_TCPV4;
		break;
	case HDR_GSO_TCPV6:
		meta->gso = NIC_GSO_TCPV6;
		break;
	default:
		return;
	}
	meta->gso_size = h->gso_size;
}

static void *vn_rx_pop(struct nic *nic, void *(*data_of)(void *token), struct nic_meta *meta, uint32_t *len, unsigned int *more)
{
	struct virtio_net *vn = to_vn(nic);
	const struct virtio_net_hdr *h;
	uint32_t written;
	void *token = virtqueue_pop(&vn->rx, &written);

	if (!token)
		return NULL;
	h = data_of(token);
	*len = written > NIC_HEADROOM ? written - NIC_HEADROOM : 0;
	*more = virtio_has(&vn->dev, F_MRG_RXBUF) && h->num_buffers ? h->num_buffers - 1u : 0;
	read_meta(h, meta);
	return token;
}

static void *vn_rx_pop_more(struct nic *nic, uint32_t *len)
{
	return virtqueue_pop(&to_vn(nic)->rx, len);
}

static bool vn_rx_pending(const struct nic *nic)
{
	return virtqueue_more(&to_vn(nic)->rx);
}

static bool vn_rx_irq_on(struct nic *nic)
{
	struct virtqueue *vq = &to_vn(nic)->rx;

	return virtqueue_irq_on(vq, 1);
}

static int vn_tx(struct nic *nic, struct vq_seg *segs, unsigned int n, uint8_t *headroom, const struct nic_meta *meta, void *token)
{
	static const uint8_t gso_type[] = {
		[NIC_GSO_NONE] = HDR_GSO_NONE, [NIC_GSO_TCPV4] = HDR_GSO_TCPV4, [NIC_GSO_TCPV6] = HDR_GSO_TCPV6,
	};
	struct virtqueue *vq = &to_vn(nic)->tx;
	struct virtio_net_hdr h = { .gso_type = gso_type[meta->gso] };

	if (n > vq->free)
		return vq->broken ? -EIO : -ENOSPC;
	if (meta->csum == NIC_CSUM_PARTIAL) {
		h.flags = HDR_NEEDS_CSUM;
		h.csum_start = meta->csum_start;
		h.csum_offset = meta->csum_offset;
	}
	if (meta->gso) {
		h.gso_size = meta->gso_size;
		h.hdr_len = meta->hdr_len;
	}
	memcpy(headroom, &h, sizeof(h));
	segs[0].pa -= NIC_HEADROOM;
	segs[0].len += NIC_HEADROOM;
	return virtqueue_add(vq, segs, n, 0, token);
}

static void vn_tx_kick(struct nic *nic)
{
	if (virtqueue_kick(&to_vn(nic)->tx))
		nic->kicks++;
}

static void *vn_tx_pop(struct nic *nic)
{
	uint32_t written;

	return virtqueue_pop(&to_vn(nic)->tx, &written);
}

static bool vn_tx_done(const struct nic *nic)
{
	return virtqueue_more(&to_vn(nic)->tx);
}

static unsigned int vn_tx_pending(const struct nic *nic)
{
	return virtqueue_in_flight(&to_vn(nic)->tx);
}

static bool vn_tx_irq(struct nic *nic, unsigned int more)
{
	struct virtqueue *vq = &to_vn(nic)->tx;

	if (!more) {
		virtqueue_irq_off(vq);
		return false;
	}
	return virtqueue_irq_on(vq, (uint16_t)more);
}

static int vn_start(struct nic *nic)
{
	struct virtio_net *vn = to_vn(nic);
	int rc = virtio_ready(&vn->dev);

	if (rc)
		log_error("%s: the device failed at its start", nic->name);
	return rc;
}

static const struct nic_ops virtio_net_ops = {
	.start = vn_start,
	.rx_post = vn_rx_post,
	.rx_room = vn_rx_room,
	.rx_kick = vn_rx_kick,
	.rx_pop = vn_rx_pop,
	.rx_pop_more = vn_rx_pop_more,
	.rx_pending = vn_rx_pending,
	.rx_irq_on = vn_rx_irq_on,
	.tx = vn_tx,
	.tx_kick = vn_tx_kick,
	.tx_pop = vn_tx_pop,
	.tx_done = vn_tx_done,
	.tx_pending = vn_tx_pending,
	.tx_irq = vn_tx_irq,
};

static void read_link(struct virtio_net *vn)
{
	vn->nic.link_up = !virtio_has(&vn->dev, F_STATUS) || (mmio_read16(vn->dev.config + CONFIG_STATUS) & STATUS_LINK_UP);
}

static void rx_interrupt(void *arg)
{
	struct virtio_net *vn = arg;

	vn->nic.irqs++;
	vn->nic.events->rx(&vn->nic);
}

static void tx_interrupt(void *arg)
{
	struct virtio_net *vn = arg;

	vn->nic.irqs++;
	vn->nic.events->tx(&vn->nic);
}

static void config_interrupt(void *arg)
{
	struct virtio_net *vn = arg;

	read_link(vn);
	vn->nic.events->link(&vn->nic);
}

static void read_config(struct virtio_net *vn)
{
	struct nic *nic = &vn->nic;

	for (unsigned int i = 0; i < sizeof(nic->mac); i++)
		nic->mac[i] = mmio_read8(vn->dev.config + CONFIG_MAC + i);
	nic->mtu = MTU_DEFAULT;
	if (virtio_has(&vn->dev, F_MTU))
		nic->mtu = mmio_read16(vn->dev.config + CONFIG_MTU);
	if (nic->mtu < MTU_MIN)
		nic->mtu = MTU_DEFAULT;
	if (virtio_has(&vn->dev, F_CSUM))
		nic->tx_features = NIC_TX_CSUM | (virtio_has(&vn->dev, F_HOST_TSO4) ? NIC_TX_TSO4 : 0) |
				   (virtio_has(&vn->dev, F_HOST_TSO6) ? NIC_TX_TSO6 : 0);
	read_link(vn);
}

static uint64_t wanted_features(const struct virtio_dev *vd)
{
	uint64_t wanted = VIRTIO_BIT(VIRTIO_F_EVENT_IDX) | VIRTIO_BIT(F_CSUM) | VIRTIO_BIT(F_GUEST_CSUM) | VIRTIO_BIT(F_MTU) |
			  VIRTIO_BIT(F_MAC) | VIRTIO_BIT(F_HOST_TSO4) | VIRTIO_BIT(F_HOST_TSO6) | VIRTIO_BIT(F_MRG_RXBUF) |
			  VIRTIO_BIT(F_STATUS);

	/* Segments come in only if they may spread over several buffers: one buffer holds no 64 KiB. */
	if ((vd->offered & VIRTIO_BIT(F_MRG_RXBUF)) && (vd->offered & VIRTIO_BIT(F_GUEST_CSUM)))
		wanted |= VIRTIO_BIT(F_GUEST_TSO4) | VIRTIO_BIT(F_GUEST_TSO6);
	return wanted;
}

static int set_up(struct virtio_net *vn, struct pci_dev *pci)
{
	static void (*const handlers[VECTORS])(void *) = {
		[VECTOR_CONFIG] = config_interrupt, [VECTOR_RX] = rx_interrupt, [VECTOR_TX] = tx_interrupt,
	};
	int rc = virtio_begin(&vn->dev, pci, "virtio-net");

	if (!rc)
		rc = virtio_agree(&vn->dev, wanted_features(&vn->dev), VIRTIO_BIT(F_MAC));
	if (!rc)
		rc = virtio_config_vector(&vn->dev, VECTOR_CONFIG);
	if (!rc)
		rc = virtio_queue(&vn->dev, &vn->rx, QUEUE_RX, QUEUE_MAX, VECTOR_RX);
	if (!rc)
		rc = virtio_queue(&vn->dev, &vn->tx, QUEUE_TX, QUEUE_MAX, VECTOR_TX);
	for (unsigned int i = 0; !rc && i < VECTORS; i++)
		rc = msix_route(pci, i, 0, handlers[i], vn, "virtio-net");
	return rc;
}

static int probe(struct pci_dev *pci)
{
	struct virtio_net *vn = env_alloc(sizeof(*vn));
	int rc;

	if (!vn) {
		log_error("virtio-net %s: no memory", pci->name);
		return -ENOMEM;
	}
	rc = set_up(vn, pci);
	if (rc) {
		/* The rings stay allocated: a device that misbehaves may still know their addresses. */
		log_error("virtio-net %s: not used (error %d)", pci->name, rc);
		virtio_fail(&vn->dev);
		return rc;
	}
	vn->nic.ops = &virtio_net_ops;
	vn->nic.driver = "virtio-net";
	snprintf(vn->nic.name, sizeof(vn->nic.name), "net%u", nr_cards++);
	read_config(vn);
	nic_register(&vn->nic);
	log_info("%s: virtio-net at %s, mac %02x:%02x:%02x:%02x:%02x:%02x, mtu %u, rings %u/%u, features %lx", vn->nic.name, pci->name,
		 vn->nic.mac[0], vn->nic.mac[1], vn->nic.mac[2], vn->nic.mac[3], vn->nic.mac[4], vn->nic.mac[5], vn->nic.mtu,
		 vn->rx.size, vn->tx.size, vn->dev.features);
	return 0;
}

const struct pci_driver virtio_net_driver = {
	.vendor = VIRTIO_PCI_VENDOR, .device = 0x1041, .name = "virtio-net", .probe = probe,
};
const struct pci_driver virtio_net_transitional_driver = {
	.vendor = VIRTIO_PCI_VENDOR, .device = 0x1000, .name = "virtio-net", .probe = probe,
};

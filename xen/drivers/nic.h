/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network card as the uplinks see it: rings of receive buffers and of frames to send, in batches, by polling; the
 * card's interrupts only say that a poll is worth while.
 *
 * Synchronization: the caller serialises the rx_ functions of one card among themselves and the tx_ functions among
 * themselves; the two groups are independent.
 */
#ifndef DRIVERS_NIC_H
#define DRIVERS_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include <drivers/virtqueue.h>

/* Bytes that belong to the driver right before the first byte of a frame, in receive and send buffers alike. */
#define NIC_HEADROOM 12

enum nic_csum {
	NIC_CSUM_FULL,     /* complete, not looked at */
	NIC_CSUM_PARTIAL,  /* to be finished from csum_start on, stored at csum_start + csum_offset */
	NIC_CSUM_VERIFIED, /* the card found it right */
};
enum nic_gso { NIC_GSO_NONE, NIC_GSO_TCPV4, NIC_GSO_TCPV6 };

struct nic_meta {
	uint8_t csum; /* enum nic_csum */
	uint8_t gso;  /* enum nic_gso */
	uint16_t gso_size;
	uint16_t hdr_len; /* send, gso: bytes of all headers */
	uint16_t csum_start, csum_offset;
};

/* What the card can do for frames that are sent. */
#define NIC_TX_CSUM 1u
#define NIC_TX_TSO4 2u
#define NIC_TX_TSO6 4u

struct nic;

struct nic_ops {
	/* => from here the card moves frames and interrupts CPU 0; `events` is set. */
	int (*start)(struct nic *nic);
	/* => give the card a buffer of `len` bytes; its first NIC_HEADROOM bytes are the driver's. -ENOSPC. */
	int (*rx_post)(struct nic *nic, paddr_t pa, uint32_t len, void *token);
	/* => buffers that rx_post() would take now */
	unsigned int (*rx_room)(const struct nic *nic);
	/* => show the card the buffers posted since the last time. */
	void (*rx_kick)(struct nic *nic);
	/* => first buffer of the next frame, bytes of the frame in it, and how many buffers of it follow; or NULL. */
	void *(*rx_pop)(struct nic *nic, void *(*data_of)(void *token), struct nic_meta *meta, uint32_t *len, unsigned int *more);
	/* => a following buffer; NULL: the card has not delivered what it announced. */
	void *(*rx_pop_more)(struct nic *nic, uint32_t *len);
	/* => a frame is there. Cheap. */
	bool (*rx_pending)(const struct nic *nic);
	/* => ask for an interrupt with the next frame; true: there is one already, look again. */
	bool (*rx_irq_on)(struct nic *nic);
	/* => queue a frame. The first segment has NIC_HEADROOM writable bytes right before it. -ENOSPC: later; -EIO: never. */
	int (*tx)(struct nic *nic, struct vq_seg *segs, unsigned int n, uint8_t *headroom, const struct nic_meta *meta, void *token);
	void (*tx_kick)(struct nic *nic);
	/* => token of a frame that was sent, or NULL. */
	void *(*tx_pop)(struct nic *nic);
	/* => tx_pop() would give one. Cheap. */
	bool (*tx_done)(const struct nic *nic);
	/* => frames that the card holds */
	unsigned int (*tx_pending)(const struct nic *nic);
	/* => interrupt after `more` further frames were sent (0: none); true: they have been, look again. */
	bool (*tx_irq)(struct nic *nic, unsigned int more);
};

/* What the network layer wants to hear, from interrupt handlers: it only raises softirqs. */
struct nic_events {
	void (*rx)(struct nic *nic);
	void (*tx)(struct nic *nic);
	void (*link)(struct nic *nic);
};

struct nic {
	const struct nic_ops *ops;
	const struct nic_events *events; /* set by the network layer before start() */
	void *priv;                      /* the network layer's */
	char name[16];
	const char *driver;
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t tx_features;            /* NIC_TX_* */
	_Atomic bool link_up;
	_Atomic uint64_t irqs, kicks;
	struct nic *next;
};

/* Cards that drivers found, in the order of the scan. */
extern struct nic *nic_list;
void nic_register(struct nic *nic);

#endif

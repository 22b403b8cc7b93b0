/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network interface: the front end of the netif protocol. Receive buffers are whole pages, granted once and for ever; a
 * received packet can be sent back from the very page it came in (netfront_reflect), or its bytes copied out. Sending copies
 * into pages granted once as well, so that no grant is made or ended while packets flow.
 * Nothing is sent, posted or notified before netfront_flush(): the caller handles a batch, then flushes once.
 */
#ifndef GUEST_NETFRONT_H
#define GUEST_NETFRONT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#define NET_RING 256
#define NET_TX_PAGES 64
#define NET_MAX_SLOTS 18

struct net_buf {
	uint8_t *data;
	grant_ref_t ref;
};

struct net_slot {
	uint16_t id, offset, len;
};

/* A received packet: its slots' buffers, and what the backend said of it. */
struct net_packet {
	unsigned int slots, len, flags;		/* NETRXF_* */
	uint16_t gso_size;
	struct net_slot slot[NET_MAX_SLOTS];
};

struct netfront {
	char path[64], backend[96];
	domid_t backend_id;
	uint8_t mac[6];
	struct netif_tx_front_ring tx;
	struct netif_rx_front_ring rx;
	grant_ref_t tx_ref, rx_ref;
	evtchn_port_t tx_port, rx_port;		/* the same when the backend does not split them */
	bool split, remote_csum, remote_gso;

	struct net_buf rx_buf[NET_RING];
	uint16_t posted[NET_RING];		/* which buffer each ring slot holds: answers come in ring order */
	uint16_t rx_free[NET_RING];		/* buffers that are not posted: to post at the next flush */
	unsigned int nr_rx_free, nr_rx_buf;

	struct net_buf tx_buf[NET_TX_PAGES];
	uint16_t tx_free[NET_TX_PAGES];
	unsigned int nr_tx_free;

	uint64_t rx_packets, tx_packets, rx_errors, tx_errors, tx_dropped;
};

struct netfront_conf {
	unsigned int index, rx_buffers;
	bool split, offload;
};

/* What the receive callback did with the packet. */
enum net_verdict { NET_DONE, NET_REFLECTED };
typedef enum net_verdict (*net_rx_fn)(void *arg, struct netfront *nf, const struct net_packet *p);

/* => 0 or -errno, with the interface connected and its buffers posted. */
int netfront_open(struct netfront *nf, const struct netfront_conf *conf);
/* Disconnect and take everything back; the device can be opened again. */
int netfront_close(struct netfront *nf);
/* Hand up to BUDGET packets to FN. => how many there were. */
unsigned int netfront_poll(struct netfront *nf, unsigned int budget, net_rx_fn fn, void *arg);
/* Is there something to poll? Arms the event when there is not. */
bool netfront_pending(struct netfront *nf);
static inline uint8_t *netfront_data(struct netfront *nf, const struct net_packet *p)
{
	return nf->rx_buf[p->slot[0].id].data + p->slot[0].offset;
}
/* Send a one-slot packet from its receive page, from a callback that then returns NET_REFLECTED. => false: no room. */
bool netfront_reflect(struct netfront *nf, const struct net_packet *p);
/* A page to fill and send with netfront_send(); NULL when all are on their way. */
uint8_t *netfront_tx_page(struct netfront *nf, uint16_t *id);
void netfront_send(struct netfront *nf, uint16_t id, unsigned int len, unsigned int flags);
/* Publish what was queued, post free buffers, notify the backend if it asked for that. */
void netfront_flush(struct netfront *nf);
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data path of the network front end. A transmit request's id names its buffer: below NET_TX_PAGES a page of the transmit
 * pool, from NET_RX_ID on a receive buffer that is being reflected and is posted again once the backend has answered.
 * Transmit completions are collected when there is other work; their event is asked for only when buffers run short.
 */
#include "netfront.h"
#include <string.h>
#include "hypercall.h"
#include "kernel.h"

#define NET_RX_ID 0x1000

static void rx_give_back(struct netfront *nf, const struct net_packet *p)
{
	unsigned int i;

	for (i = 0; i < p->slots; i++)
		nf->rx_free[nf->nr_rx_free++] = p->slot[i].id;
}

/*
 * The buffer of the next response. Requests are answered in ring order and the place in the ring is what counts; an extra info
 * overwrites the number, and a wrong number is the backend's error.
 */
static uint16_t rx_next(struct netfront *nf)
{
	return nf->posted[nf->rx.rsp_cons++ % NET_RING];
}

/* One response: a slot of the packet, or one lost to an error. */
static bool rx_slot(struct netfront *nf, struct net_packet *p, const struct netif_rx_response *r)
{
	uint16_t buf = rx_next(nf);

	if (r->status < 0 || r->offset + r->status > (int)PAGE_SIZE || p->slots == NET_MAX_SLOTS || r->id != buf) {
		nf->rx_free[nf->nr_rx_free++] = buf;
		return false;
	}
	p->slot[p->slots++] = (struct net_slot){ buf, r->offset, (uint16_t)r->status };
	p->len += (unsigned int)r->status;
	return true;
}

/* The extra infos behind a packet's first slot. => false: the ring ended before they did. */
static bool rx_extras(struct netfront *nf, RING_IDX prod, struct net_packet *p)
{
	struct netif_extra_info e;

	do {
		if (nf->rx.rsp_cons == prod)
			return false;
		memcpy(&e, RING_GET_RESPONSE(&nf->rx, nf->rx.rsp_cons), sizeof(e));
		nf->rx_free[nf->nr_rx_free++] = rx_next(nf);
		if (e.type == XEN_NETIF_EXTRA_TYPE_GSO)
			p->gso_size = e.u.gso.size;
	} while (e.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	return true;
}

/* Take one packet's responses, extra infos included. => whether it is whole and sound. */
static bool rx_packet(struct netfront *nf, RING_IDX prod, struct net_packet *p)
{
	struct netif_rx_response r = *RING_GET_RESPONSE(&nf->rx, nf->rx.rsp_cons);
	bool good;

	p->slots = p->len = p->gso_size = 0;
	p->flags = r.flags;
	good = rx_slot(nf, p, &r);
	if (r.flags & NETRXF_extra_info)
		good &= rx_extras(nf, prod, p);
	while (r.flags & NETRXF_more_data) {
		if (nf->rx.rsp_cons == prod)
			return false;
		r = *RING_GET_RESPONSE(&nf->rx, nf->rx.rsp_cons);
		good &= rx_slot(nf, p, &r);
	}
	return good;
}

static void tx_complete(struct netfront *nf)
{
	RING_IDX prod = READ_ONCE(nf->tx.sring->rsp_prod);

	rmb();
	for (; nf->tx.rsp_cons != prod; nf->tx.rsp_cons++) {
		const struct netif_tx_response *r = RING_GET_RESPONSE(&nf->tx, nf->tx.rsp_cons);
		uint16_t id = r->id;

		if (r->status == NETIF_RSP_NULL)
			continue;
		if (r->status != NETIF_RSP_OKAY)
			nf->tx_errors++;
		if (id < NET_TX_PAGES)
			nf->tx_free[nf->nr_tx_free++] = id;
		else if (id >= NET_RX_ID && id - NET_RX_ID < (int)nf->nr_rx_buf)
			nf->rx_free[nf->nr_rx_free++] = (uint16_t)(id - NET_RX_ID);
	}
}

unsigned int netfront_poll(struct netfront *nf, unsigned int budget, net_rx_fn fn, void *arg)
{
	struct net_packet p;
	unsigned int n = 0;
	RING_IDX prod;

	tx_complete(nf);
	prod = READ_ONCE(nf->rx.sring->rsp_prod);
	rmb();
	for (; n < budget && nf->rx.rsp_cons != prod; n++) {
		if (!rx_packet(nf, prod, &p)) {
			nf->rx_errors++;
			rx_give_back(nf, &p);
			continue;
		}
		nf->rx_packets++;
		if (fn(arg, nf, &p) == NET_DONE)
			rx_give_back(nf, &p);
	}
	return n;
}

/* The event index is set first, then the ring looked at again: whatever comes later raises an event. */
bool netfront_pending(struct netfront *nf)
{
	int more;
	bool starved = nf->nr_tx_free < NET_TX_PAGES / 2 ||
		       nf->rx.req_prod_pvt - nf->rx.rsp_cons < nf->nr_rx_buf / 2;

	RING_FINAL_CHECK_FOR_RESPONSES(&nf->rx, more);
	if (more)
		return true;
	nf->tx.sring->rsp_event = nf->tx.rsp_cons + (starved ? 1 : NET_RING);
	mb();
	return starved && RING_HAS_UNCONSUMED_RESPONSES(&nf->tx);
}

static bool tx_queue(struct netfront *nf, uint16_t id, grant_ref_t ref, unsigned int offset, unsigned int len, unsigned int flags)
{
	struct netif_tx_request *r;

	if (RING_FULL(&nf->tx))
		return false;
	r = RING_GET_REQUEST(&nf->tx, nf->tx.req_prod_pvt);
	r->gref = ref;
	r->offset = (uint16_t)offset;
	r->flags = (uint16_t)flags;
	r->id = id;
	r->size = (uint16_t)len;
	nf->tx.req_prod_pvt++;
	nf->tx_packets++;
	return true;
}

/* What a receiver may skip, the next receiver may skip too. */
bool netfront_reflect(struct netfront *nf, const struct net_packet *p)
{
	const struct net_slot *s = &p->slot[0];
	unsigned int flags = 0;

	if (p->flags & NETRXF_csum_blank)
		flags = NETTXF_csum_blank | NETTXF_data_validated;
	return tx_queue(nf, (uint16_t)(NET_RX_ID + s->id), nf->rx_buf[s->id].ref, s->offset, s->len, flags);
}

uint8_t *netfront_tx_page(struct netfront *nf, uint16_t *id)
{
	if (!nf->nr_tx_free || RING_FULL(&nf->tx)) {
		nf->tx_dropped++;
		return NULL;
	}
	*id = nf->tx_free[--nf->nr_tx_free];
	return nf->tx_buf[*id].data;
}

void netfront_send(struct netfront *nf, uint16_t id, unsigned int len, unsigned int flags)
{
	tx_queue(nf, id, nf->tx_buf[id].ref, 0, len, flags);
}

void netfront_flush(struct netfront *nf)
{
	int notify_tx = 0, notify_rx = 0;

	if (nf->tx.req_prod_pvt != nf->tx.sring->req_prod)
		RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&nf->tx, notify_tx);
	while (nf->nr_rx_free) {
		uint16_t id = nf->rx_free[--nf->nr_rx_free];
		struct netif_rx_request *r = RING_GET_REQUEST(&nf->rx, nf->rx.req_prod_pvt);

		nf->posted[nf->rx.req_prod_pvt % NET_RING] = id;
		r->id = id;
		r->gref = nf->rx_buf[id].ref;
		nf->rx.req_prod_pvt++;
	}
	if (nf->rx.req_prod_pvt != nf->rx.sring->req_prod)
		RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&nf->rx, notify_rx);
	if (notify_tx)
		hv_notify(nf->tx_port);
	if (notify_rx && !(notify_tx && nf->rx_port == nf->tx_port))
		hv_notify(nf->rx_port);
}

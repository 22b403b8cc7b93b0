/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting a network interface up and down: rings, buffers and the handshake of states through the xenstore. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "event.h"
#include "grant.h"
#include "kernel.h"
#include "netfront.h"
#include "store.h"
#include <xen/io/xenbus.h>

#define HANDSHAKE (10 * SEC)

static bool make_buf(struct netfront *nf, struct net_buf *b, bool readonly)
{
	b->data = page_alloc();
	b->ref = b->data ? grant_page(nf->backend_id, b->data, readonly) : GRANT_NONE;
	return b->ref != GRANT_NONE;
}

static void drop_buf(struct net_buf *b)
{
	if (b->ref != GRANT_NONE && grant_end(b->ref))
		page_free(b->data);
	memset(b, 0, sizeof(*b));
}

static int make_rings(struct netfront *nf, unsigned int rx_buffers)
{
	struct netif_tx_sring *tx = page_alloc();
	struct netif_rx_sring *rx = page_alloc();

	if (!tx || !rx)
		return -ENOMEM;
	SHARED_RING_INIT(tx);
	FRONT_RING_INIT(&nf->tx, tx, PAGE_SIZE);
	SHARED_RING_INIT(rx);
	FRONT_RING_INIT(&nf->rx, rx, PAGE_SIZE);
	nf->tx_ref = grant_page(nf->backend_id, tx, false);
	nf->rx_ref = grant_page(nf->backend_id, rx, false);
	if (nf->tx_ref == GRANT_NONE || nf->rx_ref == GRANT_NONE)
		return -ENOSPC;
	for (nf->nr_tx_free = 0; nf->nr_tx_free < NET_TX_PAGES; nf->nr_tx_free++) {
		if (!make_buf(nf, &nf->tx_buf[nf->nr_tx_free], true))
			return -ENOMEM;
		nf->tx_free[nf->nr_tx_free] = (uint16_t)nf->nr_tx_free;
	}
	for (nf->nr_rx_buf = 0; nf->nr_rx_buf < rx_buffers; nf->nr_rx_buf++) {
		if (!make_buf(nf, &nf->rx_buf[nf->nr_rx_buf], false))
			return -ENOMEM;
		nf->rx_free[nf->nr_rx_free++] = (uint16_t)nf->nr_rx_buf;
	}
	return 0;
}

static int make_ports(struct netfront *nf, bool split)
{
	int port = event_alloc_unbound(nf->backend_id);

	if (port < 0)
		return port;
	nf->tx_port = nf->rx_port = (evtchn_port_t)port;
	if (split) {
		port = event_alloc_unbound(nf->backend_id);
		if (port < 0)
			return port;
		nf->rx_port = (evtchn_port_t)port;
	}
	nf->split = split;
	event_bind(nf->tx_port, NULL, NULL);
	event_bind(nf->rx_port, NULL, NULL);
	return 0;
}

static int parse_mac(const char *s, uint8_t mac[6])
{
	unsigned int i;

	memset(mac, 0, 6);
	for (i = 0; i < 17; i++) {
		char c = s[i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (i % 3 == 2 ? c != ':' : d < 0)
			return -EINVAL;
		if (i % 3 != 2)
			mac[i / 3] = (uint8_t)(mac[i / 3] << 4 | d);
	}
	return 0;
}

static int find_backend(struct netfront *nf, unsigned int index)
{
	char path[96], mac[24];
	int rc;

	snprintf(nf->path, sizeof(nf->path), "device/vif/%u", index);
	snprintf(path, sizeof(path), "%s/backend", nf->path);
	rc = store_read(path, nf->backend, sizeof(nf->backend));
	if (rc < 0)
		return rc;
	nf->backend_id = (domid_t)store_read_number(nf->path, "backend-id", 0);
	snprintf(path, sizeof(path), "%s/mac", nf->path);
	rc = store_read(path, mac, sizeof(mac));
	return rc < 0 ? rc : parse_mac(mac, nf->mac);
}

/* A backend that finds the keys of both forms takes the split one: those of an earlier connection must go. */
static void forget(const struct netfront *nf, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", nf->path, name);
	store_remove(path);
}

static void publish(struct netfront *nf, bool offload)
{
	store_printf(nf->path, "tx-ring-ref", "%u", nf->tx_ref);
	store_printf(nf->path, "rx-ring-ref", "%u", nf->rx_ref);
	if (nf->split) {
		store_printf(nf->path, "event-channel-tx", "%u", nf->tx_port);
		store_printf(nf->path, "event-channel-rx", "%u", nf->rx_port);
	} else {
		forget(nf, "event-channel-tx");
		forget(nf, "event-channel-rx");
		store_printf(nf->path, "event-channel", "%u", nf->tx_port);
	}
	store_printf(nf->path, "request-rx-copy", "1");
	store_printf(nf->path, "feature-rx-notify", "1");
	store_printf(nf->path, "feature-sg", "1");
	store_printf(nf->path, "feature-gso-tcpv4", "%u", offload);
	store_printf(nf->path, "feature-no-csum-offload", "%u", !offload);
	store_printf(nf->path, "state", "%u", XenbusStateConnected);
}

static int connect(struct netfront *nf, const struct netfront_conf *conf)
{
	int rc;

	if (!store_wait_number(nf->backend, "state", XenbusStateInitWait, HANDSHAKE))
		return -ETIMEDOUT;
	nf->remote_gso = conf->offload && store_read_number(nf->backend, "feature-gso-tcpv4", 0);
	nf->remote_csum = conf->offload;
	rc = make_rings(nf, conf->rx_buffers ? conf->rx_buffers : NET_RING);
	if (rc)
		return rc;
	rc = make_ports(nf, conf->split && store_read_number(nf->backend, "feature-split-event-channels", 0));
	if (rc)
		return rc;
	publish(nf, conf->offload);
	if (!store_wait_number(nf->backend, "state", XenbusStateConnected, HANDSHAKE))
		return -ETIMEDOUT;
	netfront_flush(nf);
	return 0;
}

static void tear_down(struct netfront *nf)
{
	unsigned int i;

	if (nf->rx_port && nf->rx_port != nf->tx_port)
		event_close(nf->rx_port);
	if (nf->tx_port)
		event_close(nf->tx_port);
	nf->tx_port = nf->rx_port = 0;
	for (i = 0; i < NET_TX_PAGES; i++)
		drop_buf(&nf->tx_buf[i]);
	for (i = 0; i < nf->nr_rx_buf; i++)
		drop_buf(&nf->rx_buf[i]);
	if (nf->tx_ref && grant_end(nf->tx_ref))
		page_free(nf->tx.sring);
	if (nf->rx_ref && grant_end(nf->rx_ref))
		page_free(nf->rx.sring);
}

int netfront_open(struct netfront *nf, const struct netfront_conf *conf)
{
	int rc;

	memset(nf, 0, sizeof(*nf));
	rc = find_backend(nf, conf->index);
	if (rc)
		return rc;
	rc = connect(nf, conf);
	if (rc)
		tear_down(nf);
	return rc;
}

/* The backend unmaps the rings before it says Closed; only then do they come back. */
int netfront_close(struct netfront *nf)
{
	int rc = 0;

	store_printf(nf->path, "state", "%u", XenbusStateClosing);
	if (!store_wait_number(nf->backend, "state", XenbusStateClosing, SEC) &&
	    !store_wait_number(nf->backend, "state", XenbusStateClosed, HANDSHAKE))
		rc = -ETIMEDOUT;
	store_printf(nf->path, "state", "%u", XenbusStateClosed);
	if (!rc && !store_wait_number(nf->backend, "state", XenbusStateClosed, HANDSHAKE))
		rc = -ETIMEDOUT;
	tear_down(nf);
	store_printf(nf->path, "state", "%u", XenbusStateInitialising);
	return rc;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP load. The frame is written once into every transmit page; sending is then a request on the ring and nothing else.
 * lwIP only resolves the next hop's address.
 */
#include "load.h"
#include <string.h>
#include "kernel.h"
#include "lwip/etharp.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/udp.h"
#include "lwip/timeouts.h"

#define FRAME_HEADERS (SIZEOF_ETH_HDR + IP_HLEN + UDP_HLEN)
#define BATCH 64

static struct load_counts counts;
static uint16_t our_port;

struct load_counts load_counts(void)
{
	return counts;
}

void load_count(unsigned long sent, unsigned long answered)
{
	counts.sent += sent;
	counts.answered += answered;
}

/* Whatever comes to our port is an answer. */
bool load_udp_hot(struct netfront *nf, const struct net_packet *p, enum net_verdict *verdict)
{
	const uint8_t *f = netfront_data(nf, p);

	(void)verdict;
	if (p->len < FRAME_HEADERS || f[23] != IP_PROTO_UDP || memcmp(f + SIZEOF_ETH_HDR + IP_HLEN + 2, &our_port, 2))
		return false;
	counts.answered++;
	return true;
}

static enum net_verdict count_only(void *arg, struct netfront *nf, const struct net_packet *p)
{
	enum net_verdict verdict = NET_DONE;

	(void)arg;
	load_udp_hot(nf, p, &verdict);
	return verdict;
}

/* => the next hop's hardware address, after lwIP's loop has asked for it. */
static const struct eth_addr *next_hop(struct ethif *e, const ip4_addr_t *to)
{
	/* Our own address is shared: a neighbour on it is reached by the gateway. */
	bool near = ip4_addr_netcmp(to, netif_ip4_addr(&e->netif), netif_ip4_netmask(&e->netif)) &&
		    !ip4_addr_cmp(to, netif_ip4_addr(&e->netif));
	const ip4_addr_t *hop = near ? to : netif_ip4_gw(&e->netif);
	const ip4_addr_t *known;
	struct eth_addr *mac;

	for (;;) {
		if (etharp_find_addr(&e->netif, hop, &mac, &known) >= 0)
			return mac;
		etharp_request(&e->netif, hop);
		netfront_flush(&e->nf);
		WAIT_UNTIL_TIMEOUT(netfront_pending(&e->nf), 200 * MSEC);
		ethif_turn(e);
	}
}

static void write_frame(uint8_t *f, const struct ethif *e, const struct load_target *to, const struct eth_addr *mac)
{
	struct ip_hdr *ip = (struct ip_hdr *)(f + SIZEOF_ETH_HDR);
	struct udp_hdr *udp = (struct udp_hdr *)(f + SIZEOF_ETH_HDR + IP_HLEN);

	memset(f, 0, FRAME_HEADERS);
	memcpy(f, mac, 6);
	memcpy(f + 6, e->nf.mac, 6);
	f[12] = 8;
	IPH_VHL_SET(ip, 4, 5);
	IPH_LEN_SET(ip, lwip_htons((u16_t)(IP_HLEN + UDP_HLEN + to->size)));
	IPH_TTL_SET(ip, 64);
	IPH_PROTO_SET(ip, IP_PROTO_UDP);
	memcpy(&ip->src, &e->netif.ip_addr, 4);
	memcpy(&ip->dest, &to->addr, 4);
	IPH_CHKSUM_SET(ip, inet_chksum(ip, IP_HLEN));
	udp->src = our_port;
	udp->dest = lwip_htons(to->port);
	udp->len = lwip_htons((u16_t)(UDP_HLEN + to->size));
	/* A checksum of zero: none was made. */
}

/* How many may go now, at the rate that was asked for. */
static unsigned int allowance(const struct load_target *to, uint64_t start)
{
	uint64_t due;

	if (!to->rate)
		return BATCH;
	due = (clock_ns() - start) / 1000 * to->rate / 1000000;
	if (due <= counts.sent)
		return 0;
	return due - counts.sent < BATCH ? (unsigned int)(due - counts.sent) : BATCH;
}

void load_udp_run(struct ethif *e, const struct load_target *to, bool (*stop)(void))
{
	unsigned int len = FRAME_HEADERS + to->size, i, n;
	const struct eth_addr *mac;
	uint64_t start;
	uint16_t id;

	our_port = lwip_htons(to->from ? to->from : to->port);
	mac = next_hop(e, &to->addr);
	for (i = 0; i < NET_TX_PAGES; i++)
		write_frame(e->nf.tx_buf[i].data, e, to, mac);
	start = clock_ns();
	while (!stop()) {
		n = netfront_poll(&e->nf, BATCH, count_only, NULL);
		for (i = allowance(to, start); i && e->nf.nr_tx_free && netfront_tx_page(&e->nf, &id); i--) {
			netfront_send(&e->nf, id, len, 0);
			counts.sent++;
			n++;
		}
		netfront_flush(&e->nf);
		if (!n)
			WAIT_UNTIL_TIMEOUT(netfront_pending(&e->nf), MSEC);
	}
}

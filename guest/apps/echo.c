/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The echo has two ways. The hot one turns a whole datagram around in the page it came in: addresses and ports change places,
 * which leaves every checksum right, also a blank one, since their sums do not depend on order. No copy, no buffer, no lwIP.
 * Whatever is not a plain datagram to our address and port (fragments, options, several slots) goes through lwIP.
 */
#include "echo.h"
#include <errno.h>
#include <string.h>
#include "lwip/udp.h"

struct frame {
	uint8_t dst[6], src[6];
	uint16_t type;
	uint8_t ver_len, tos;
	uint16_t len, id, frag;
	uint8_t ttl, proto;
	uint16_t ip_sum;
	uint32_t ip_src, ip_dst;
	uint16_t sport, dport, udp_len, udp_sum;
} __attribute__((packed));

_Static_assert(sizeof(struct frame) == 42, "Ethernet, IPv4 and UDP headers");

static uint32_t our_ip;
static uint16_t our_port;
static unsigned long packets;

unsigned long echo_packets(void)
{
	return packets;
}

bool echo_hot(struct netfront *nf, const struct net_packet *p, enum net_verdict *verdict)
{
	struct frame *f = (struct frame *)netfront_data(nf, p);
	uint8_t mac[6];
	uint32_t ip;

	if (p->slots != 1 || p->len < sizeof(*f) || f->dport != our_port || f->proto != 17 || f->type != PP_HTONS(0x0800) ||
	    f->ver_len != 0x45 || (f->frag & PP_HTONS(0x3fff)) || f->ip_dst != our_ip || f->sport == our_port)
		return false;
	memcpy(mac, f->dst, 6);
	memcpy(f->dst, f->src, 6);
	memcpy(f->src, mac, 6);
	ip = f->ip_src;
	f->ip_src = f->ip_dst;
	f->ip_dst = ip;
	f->dport = f->sport;
	f->sport = our_port;
	if (netfront_reflect(nf, p)) {
		*verdict = NET_REFLECTED;
		packets++;
	}
	return true;
}

static void slow(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
	(void)arg;
	udp_sendto(pcb, p, from, port);
	pbuf_free(p);
	packets++;
}

int echo_start(const struct ethif *e, uint16_t port)
{
	struct udp_pcb *pcb = udp_new();

	our_ip = e->netif.ip_addr.addr;
	our_port = lwip_htons(port);
	if (!pcb || udp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
		return -EADDRINUSE;
	udp_recv(pcb, slow, NULL);
	return 0;
}

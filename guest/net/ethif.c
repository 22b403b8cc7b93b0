/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames between netfront and lwIP. Received bytes are copied into lwIP's buffers and the page goes straight back to the ring;
 * sent ones are copied into a granted page. Checksums are left to the backend in both directions when it offers that.
 */
#include "ethif.h"
#include <errno.h>
#include <string.h>
#include "kernel.h"
#include "lwip/etharp.h"
#include "lwip/inet_chksum.h"
#include "lwip/init.h"
#include "lwip/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

#define BATCH 64

u32_t sys_now(void)
{
	return (u32_t)(clock_ns() / MSEC);
}

uint32_t lwip_random(void)
{
	static uint64_t state;

	state = (state ^ rdtsc()) * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 32);
}

/* A checksum that the next one completes: the sum of the pseudo header, in the field of the transport header. */
static bool blank_checksum(uint8_t *frame, unsigned int len)
{
	struct ip_hdr *ip = (struct ip_hdr *)(frame + SIZEOF_ETH_HDR);
	unsigned int hlen, at;
	uint32_t sum;
	uint16_t v;

	if (len < SIZEOF_ETH_HDR + IP_HLEN || frame[12] != 8 || frame[13] != 0)
		return false;
	hlen = IPH_HL_BYTES(ip);
	at = IPH_PROTO(ip) == IP_PROTO_TCP ? 16 : IPH_PROTO(ip) == IP_PROTO_UDP ? 6 : 0;
	if (!at || (IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK | IP_MF)) || SIZEOF_ETH_HDR + hlen + at + 2 > len)
		return false;
	sum = (ip->src.addr & 0xffff) + (ip->src.addr >> 16) + (ip->dest.addr & 0xffff) + (ip->dest.addr >> 16);
	sum += PP_HTONS(IPH_PROTO(ip)) + lwip_htons((u16_t)(lwip_ntohs(IPH_LEN(ip)) - hlen));
	sum = (sum & 0xffff) + (sum >> 16);
	v = (uint16_t)((sum & 0xffff) + (sum >> 16));
	memcpy(frame + SIZEOF_ETH_HDR + hlen + at, &v, 2);
	return true;
}

static err_t output(struct netif *netif, struct pbuf *p)
{
	struct ethif *e = netif->state;
	uint16_t id;
	uint8_t *page;
	bool blank;

	if (p->tot_len > PAGE_SIZE)
		return ERR_BUF;
	page = netfront_tx_page(&e->nf, &id);
	if (!page)
		return ERR_MEM;
	pbuf_copy_partial(p, page, p->tot_len, 0);
	blank = e->nf.remote_csum && blank_checksum(page, p->tot_len);
	netfront_send(&e->nf, id, p->tot_len, blank ? NETTXF_csum_blank | NETTXF_data_validated : 0);
	return ERR_OK;
}

/* Our own address on the wire is a neighbour's port of the address we share: the way there leads over the router (hairpin). */
static err_t next_hop(struct netif *netif, struct pbuf *p, const ip4_addr_t *dest)
{
	return etharp_output(netif, p, ip4_addr_cmp(dest, netif_ip4_addr(netif)) ? netif_ip4_gw(netif) : dest);
}

static err_t setup(struct netif *netif)
{
	struct ethif *e = netif->state;

	netif->name[0] = 'e';
	netif->name[1] = 't';
	netif->hwaddr_len = 6;
	memcpy(netif->hwaddr, e->nf.mac, 6);
	netif->mtu = 1500;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
	netif->output = next_hop;
	netif->linkoutput = output;
	return ERR_OK;
}

static struct pbuf *copy_in(struct netfront *nf, const struct net_packet *p)
{
	struct pbuf *b = pbuf_alloc(PBUF_RAW, (u16_t)p->len, PBUF_POOL);
	unsigned int i, at = 0;

	for (i = 0; b && i < p->slots; i++) {
		pbuf_take_at(b, nf->rx_buf[p->slot[i].id].data + p->slot[i].offset, p->slot[i].len, (u16_t)at);
		at += p->slot[i].len;
	}
	return b;
}

static enum net_verdict input(void *arg, struct netfront *nf, const struct net_packet *p)
{
	const u16_t transport = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
	struct ethif *e = arg;
	enum net_verdict verdict = NET_DONE;
	struct pbuf *b;
	u16_t gen;

	if (e->hot && e->hot(nf, p, &verdict))
		return verdict;
	if (p->len > 0xffff || !(b = copy_in(nf, p)))
		return NET_DONE;
	gen = e->netif.chksum_flags & (u16_t)~transport;
	NETIF_SET_CHECKSUM_CTRL(&e->netif, p->flags & (NETRXF_csum_blank | NETRXF_data_validated) ? gen : gen | transport);
	if (e->netif.input(b, &e->netif) != ERR_OK)
		pbuf_free(b);
	return NET_DONE;
}

static const char *parse_ip(const char *s, ip4_addr_t *ip)
{
	uint8_t b[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		b[i] = (uint8_t)parse_number(&s);
		if (i < 3 && *s++ != '.')
			return NULL;
	}
	memcpy(&ip->addr, b, 4);
	return s;
}

static int addresses(ip4_addr_t *ip, ip4_addr_t *mask, ip4_addr_t *gw)
{
	char text[32];
	const char *p;
	unsigned int bits;

	if (!cmdline_get("ip", text, sizeof(text)) || !(p = parse_ip(text, ip)))
		return -EINVAL;
	p += *p == '/';
	bits = (unsigned int)parse_number(&p);
	mask->addr = bits && bits <= 32 ? lwip_htonl(~0u << (32 - bits)) : ~0u;
	gw->addr = 0;
	if (cmdline_get("gw", text, sizeof(text)) && !parse_ip(text, gw))
		return -EINVAL;
	return 0;
}

int ethif_open(struct ethif *e, ethif_hot_fn hot)
{
	const struct netfront_conf conf = { .split = true, .offload = !cmdline_number("nooffload", 0),
					    .rx_buffers = (unsigned int)cmdline_number("rxbufs", NET_RING) };
	ip4_addr_t ip, mask, gw;
	int rc;

	rc = addresses(&ip, &mask, &gw);
	if (rc)
		return rc;
	rc = netfront_open(&e->nf, &conf);
	if (rc)
		return rc;
	e->hot = hot;
	lwip_init();
	netif_add(&e->netif, &ip, &mask, &gw, e, setup, netif_input);
	if (e->nf.remote_csum)
		NETIF_SET_CHECKSUM_CTRL(&e->netif, NETIF_CHECKSUM_ENABLE_ALL & ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP));
	netif_set_default(&e->netif);
	netif_set_up(&e->netif);
	return 0;
}

/* A wake-up already under way that comes in time is kept: arming costs a hypercall. */
static void arm_timer(struct ethif *e)
{
	uint32_t ms = sys_timeouts_sleeptime();
	uint64_t now, want;

	if (ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE)
		return;
	now = clock_ns();
	want = now + (ms ? ms : 1) * MSEC;
	if (e->timer > now && e->timer <= want)
		return;
	e->timer = want;
	timer_wake_at(want);
}

/*
 * lwIP's clocks are looked at when there is nothing else to do, and now and then when there is. => what was done; room that came back
 * counts, as somebody may have waited for it: no event tells of it once it is there
 */
unsigned int ethif_turn(struct ethif *e)
{
	unsigned int room = e->nf.nr_tx_free;
	unsigned int n = netfront_poll(&e->nf, BATCH, input, e);

	if (n == 0 || ++e->busy_turns == 16) {
		sys_check_timeouts();
		e->busy_turns = 0;
	}
	netfront_flush(&e->nf);
	return n ? n : e->nf.nr_tx_free > room;
}

void ethif_run(struct ethif *e, bool (*stop)(void))
{
	while (!stop || !stop()) {
		if (ethif_turn(e))
			continue;
		arm_timer(e);
		cpu_cli();
		if (netfront_pending(&e->nf))
			cpu_sti();
		else
			cpu_sti_hlt();
	}
}

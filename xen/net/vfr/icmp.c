/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the router says itself: echo answers (in place, the request becomes the reply), ICMP and ICMPv6 errors, and the TCP reset
 * of a reject rule. Errors are limited for each domain and, towards the uplinks, for each CPU.
 */
#include <vfr/priv.h>

#define QUOTE4_MAX	548u		/* RFC 1812: the whole error within 576 bytes */
#define QUOTE6_MAX	1232u		/* RFC 4443: within 1280 */
#define DOM_RATE	100
#define DOM_BURST	50
#define CPU_RATE	1000
#define CPU_BURST	100
/* RFC 7600 section 4.8: who speaks when a router has no address of its own on the link. */
#define DUMMY_ADDR	0xc0000008u

static const uint8_t *own_mac(const struct ctx *c)
{
	return c->in->kind == VFR_PORT_GUEST ? c->v->par.gateway_mac : c->in->mac;
}

/* --- echo ------------------------------------------------------------------------------------------------------------- */

static void swap(uint8_t *a, uint8_t *b, uint32_t len)
{
	uint8_t t[16];

	memcpy(t, a, len);
	memcpy(a, b, len);
	memcpy(b, t, len);
}

int vfr_icmp_turn(struct ctx *c, struct vfr_pkt *p)
{
	uint8_t *ip = p->head + p->l3;

	if (p->flags & VFR_PF_IPV4) {
		uint16_t was = csum_load(ip + IP4_TTL);

		swap(ip + IP4_SRC, ip + IP4_DST, 4);
		ip[IP4_TTL] = 64;
		csum_update(ip + IP4_CSUM, was, csum_load(ip + IP4_TTL));
	} else {
		swap(ip + IP6_SRC, ip + IP6_DST, 16);
		ip[IP6_HOPS] = 64;
	}
	memcpy(p->head, p->head + 6, 6);
	memcpy(p->head + 6, own_mac(c), 6);
	p->out_port = p->in_port;
	return VFR_FORWARD;
}

int vfr_icmp_echo(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	uint8_t *icmp = p->head + p->l4;
	uint16_t was = csum_load(icmp);

	icmp[0] = p->flags & VFR_PF_IPV4 ? 0 : 129;
	csum_update(icmp + 2, was, csum_load(icmp));
	w->echo = true;
	STEP(c, "echo", "answered by the router");
	return vfr_icmp_turn(c, p);
}

/* --- errors ----------------------------------------------------------------------------------------------------------- */

static uint32_t speaker4(const struct ctx *c, const struct vfr_pkt *p)
{
	/* Towards outside we speak as the address that was addressed. */
	if (c->in->kind == VFR_PORT_UPLINK)
		return p->dst;
	const struct addr_entry *e = vfr_addr_find(c->addrs, p->src);
	const struct vfr_dom *d = vfr_dom_at(c->v, c->in->slot);
	/* To a guest with a private address as its gateway. */
	if (d && e && e->kind == ADDR_INTERNAL && vfr_gateway(c, d, rcu_get(d->cfg)->dhcp.router))
		return rcu_get(d->cfg)->dhcp.router;
	for (uint32_t i = 0; i <= c->addrs->mask; i++)
		if (c->addrs->e[i].kind == ADDR_SELF)
			return c->addrs->e[i].addr;
	return DUMMY_ADDR;
}

static bool may_speak(struct ctx *c, struct vfr_dom *d)
{
	if (!d)
		return vfr_bucket_take(&c->cpu->icmp_bucket, c->now, CPU_RATE, CPU_BURST);
	env_lock(&d->lock);
	bool ok = vfr_bucket_take(&d->icmp_bucket, c->now, DOM_RATE, DOM_BURST);
	env_unlock(&d->lock);
	return ok;
}

/* RFC 1122 section 3.2.2: never about an error, a later fragment, or anything sent to many. */
static bool may_answer(const struct vfr_pkt *p)
{
	if (p->flags & (VFR_PF_ICMPERR | VFR_PF_LATER | VFR_PF_ARP) || (p->head[0] & 1))
		return false;
	if (p->flags & VFR_PF_IPV4)
		return !never_source(p->src) && p->dst >> 28 < 14 &&
		       (p->proto != IP_ICMP || (p->flags & VFR_PF_PORTS));
	return p->head[p->l3 + IP6_SRC] != 0xff && p->head[p->l3 + IP6_DST] != 0xff && (p->proto != IP_ICMP6 ||
		(p->flags & VFR_PF_PORTS));
}

static uint32_t quote_len(const struct vfr_pkt *p, uint32_t most)
{
	uint32_t n = p->head_len - p->l3;

	if (n > p->l3_len)
		n = p->l3_len;
	return n > most ? most : n;
}

static void header4(uint8_t *ip, uint8_t proto, uint32_t src, const uint8_t *dst, uint32_t len)
{
	memset(ip, 0, IP4_LEN);
	ip[0] = 0x45;
	ip[IP4_TOS] = 0xc0;
	env_put16(ip + IP4_TLEN, (uint16_t)(IP4_LEN + len));
	env_put16(ip + IP4_FRAG, IP4_DF);
	ip[IP4_TTL] = 64;
	ip[IP4_PROTO] = proto;
	env_put32(ip + IP4_SRC, src);
	memcpy(ip + IP4_DST, dst, 4);
	csum_store(ip + IP4_CSUM, csum_of(ip, IP4_LEN));
}

static void header6(uint8_t *ip, uint8_t next, const uint8_t *src, const uint8_t *dst, uint32_t len)
{
	memset(ip, 0, IP6_LEN);
	ip[0] = 0x60;
	env_put16(ip + IP6_PLEN, (uint16_t)len);
	ip[IP6_NEXT] = next;
	ip[IP6_HOPS] = 64;
	memcpy(ip + IP6_SRC, src, 16);
	memcpy(ip + IP6_DST, dst, 16);
}

static void start_frame(const struct ctx *c, const struct vfr_pkt *p, uint8_t *f)
{
	memcpy(f, p->head + 6, 6);
	memcpy(f + 6, own_mac(c), 6);
	memcpy(f + 12, p->head + 12, 2);
}

static void error4(struct ctx *c, const struct vfr_pkt *p, uint8_t type, uint8_t code, uint32_t mtu)
{
	uint8_t f[ETH_LEN + IP4_LEN + 8 + QUOTE4_MAX], *icmp = f + ETH_LEN + IP4_LEN;
	uint32_t n = quote_len(p, QUOTE4_MAX);

	start_frame(c, p, f);
	header4(f + ETH_LEN, IP_ICMP, speaker4(c, p), p->head + p->l3 + IP4_SRC, 8 + n);
	memset(icmp, 0, 8);
	icmp[0] = type;
	icmp[1] = code;
	env_put32(icmp + 4, mtu);
	memcpy(icmp + 8, p->head + p->l3, n);
	csum_store(icmp + 2, csum_of(icmp, 8 + n));
	vfr_emit(c, p->in_port, f, ETH_LEN + IP4_LEN + 8 + n);
}

/* Our own link-local address: EUI-64 of the MAC that the link knows us by. */
void vfr_link_local(uint8_t out[16], const uint8_t *mac)
{
	memset(out, 0, 16);
	out[0] = 0xfe;
	out[1] = 0x80;
	memcpy(out + 8, mac, 3);
	out[8] ^= 2;
	out[11] = 0xff;
	out[12] = 0xfe;
	memcpy(out + 13, mac + 3, 3);
}

/* Types and codes of ICMPv4 in ICMPv6's numbers. */
static void number6(uint8_t *type, uint8_t *code)
{
	static const uint8_t codes[][2] = { { UNREACH_PORT, 4 }, { UNREACH_HOST, 3 }, { UNREACH_ADMIN, 1 } };
	uint8_t was = *code;

	*code = 0;
	if (*type == ICMP4_TIME) {
		*type = 3;
		return;
	}
	*type = was == UNREACH_FRAG ? 2 : 1;
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(codes); i++)
		if (codes[i][0] == was)
			*code = codes[i][1];
}

static void error6(struct ctx *c, const struct vfr_pkt *p, uint8_t type, uint8_t code, uint32_t mtu)
{
	uint8_t f[ETH_LEN + IP6_LEN + 8 + QUOTE6_MAX], *icmp = f + ETH_LEN + IP6_LEN, src[16];
	uint32_t n = quote_len(p, QUOTE6_MAX);

	number6(&type, &code);
	if (c->in->kind == VFR_PORT_UPLINK)
		memcpy(src, p->head + p->l3 + IP6_DST, 16);
	else
		vfr_link_local(src, own_mac(c));
	start_frame(c, p, f);
	header6(f + ETH_LEN, IP_ICMP6, src, p->head + p->l3 + IP6_SRC, 8 + n);
	memset(icmp, 0, 8);
	icmp[0] = type;
	icmp[1] = code;
	env_put32(icmp + 4, mtu);
	memcpy(icmp + 8, p->head + p->l3, n);
	uint64_t sum = csum_add(csum_pseudo6(f + ETH_LEN, IP_ICMP6, 8 + n), icmp, 8 + n);
	csum_store(icmp + 2, (uint16_t)~csum_fold(sum));
	vfr_emit(c, p->in_port, f, ETH_LEN + IP6_LEN + 8 + n);
}

void vfr_icmp_error(struct ctx *c, struct vfr_pkt *p, uint8_t type, uint8_t code, uint32_t mtu)
{
	struct vfr_dom *d = vfr_dom_at(c->v, c->in->slot);

	if (c->trace || !may_answer(p) || !may_speak(c, c->in->slot ? d : NULL))
		return;
	vfr_nat_undo(p);
	if (p->flags & VFR_PF_IPV4)
		error4(c, p, type, code, mtu);
	else
		error6(c, p, type, code, mtu);
}

/* RFC 9293 section 3.5.2: the reset of a segment that no connection wants. */
void vfr_tcp_reset(struct ctx *c, struct vfr_pkt *p)
{
	uint8_t f[ETH_LEN + IP6_LEN + 20];
	const uint8_t *t = p->head + p->l4, *ip = p->head + p->l3;
	bool v4 = p->flags & VFR_PF_IPV4;
	uint32_t hlen = v4 ? IP4_LEN : IP6_LEN;
	uint8_t *r = f + ETH_LEN + hlen;
	uint16_t pseudo;

	if (c->trace || (p->tcp_flags & TCP_RST) || !may_answer(p) || !may_speak(c, c->in->slot ? vfr_dom_at(c->v, c->in->slot) : NULL))
		return;
	vfr_nat_undo(p);
	start_frame(c, p, f);
	memset(r, 0, 20);
	memcpy(r, t + 2, 2);
	memcpy(r + 2, t, 2);
	if (p->tcp_flags & TCP_ACK) {
		memcpy(r + 4, t + 8, 4);
		r[13] = TCP_RST;
	} else {
		uint32_t len = p->l3 + p->l3_len - p->l4 - (uint32_t)(t[12] >> 4) * 4;

		len += !!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN);
		env_put32(r + 8, env_get32(t + 4) + len);
		r[13] = TCP_RST | TCP_ACK;
	}
	r[12] = 5 << 4;
	if (v4) {
		header4(f + ETH_LEN, IP_TCP, p->dst, ip + IP4_SRC, 20);
		pseudo = csum_pseudo4(f + ETH_LEN, IP_TCP, 20);
	} else {
		header6(f + ETH_LEN, IP_TCP, ip + IP6_DST, ip + IP6_SRC, 20);
		pseudo = csum_pseudo6(f + ETH_LEN, IP_TCP, 20);
	}
	csum_store(r + 16, (uint16_t)~csum_fold(csum_add(pseudo, r, 20)));
	vfr_emit(c, p->in_port, f, ETH_LEN + hlen + 20);
}

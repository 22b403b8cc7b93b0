/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser: lengths are checked here as a chain, once; later stages trust the offsets and flags that it wrote.
 * What it guarantees for a packet that passes: the IP header, the L4 header (unless VFR_PF_LATER) and, for an ICMP error, the
 * quoted header with 8 bytes behind it lie within head[0 .. head_len) and within the datagram.
 */
#include <vfr/priv.h>

#define EXT_MAX 8	/* IPv6 extension headers that are walked */

static int link_check(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *h = p->head;
	const uint8_t *mine = c->in->kind == VFR_PORT_GUEST ? c->v->par.gateway_mac : c->in->mac;

	if (c->in->kind == VFR_PORT_GUEST && !mac_equal(h + 6, c->in->mac))
		return vfr_drop(c, p, VFR_DROP_SRC_MAC);
	if (!(h[0] & 1) && !mac_equal(h, mine))
		return vfr_drop(c, p, VFR_DROP_DST_MAC);
	return 0;
}

/* => bytes of the L4 part that can be looked at. */
static uint32_t l4_room(const struct vfr_pkt *p)
{
	uint32_t end = p->l3 + p->l3_len;

	if (end > p->head_len)
		end = p->head_len;
	return end - p->l4;
}

static uint32_t l4_len(const struct vfr_pkt *p)
{
	return p->l3 + p->l3_len - p->l4;
}

/* A first fragment that cuts its L4 header is a trick (RFC 3128), a whole packet that does is broken. */
static int cut_off(struct ctx *c, struct vfr_pkt *p)
{
	return vfr_drop(c, p, p->flags & VFR_PF_FRAG ? VFR_DROP_FRAG_TINY : VFR_DROP_BAD_L4);
}

static int parse_tcp(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *t = p->head + p->l4;

	if (l4_room(p) < 20)
		return cut_off(c, p);
	uint32_t off = (uint32_t)(t[12] >> 4) * 4;
	if (off < 20 || off > l4_len(p))
		return cut_off(c, p);
	p->tcp_flags = t[13];
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		p->flags |= VFR_PF_NEWFLOW;
	p->sport = env_get16(t);
	p->dport = env_get16(t + 2);
	p->flags |= VFR_PF_PORTS;
	return 0;
}

static int parse_udp(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *u = p->head + p->l4;

	if (l4_room(p) < 8)
		return cut_off(c, p);
	uint32_t len = env_get16(u + 4);
	if (!(p->flags & VFR_PF_FRAG) && p->gso == VFR_GSO_NONE && (len < 8 || len > l4_len(p)))
		return vfr_drop(c, p, VFR_DROP_BAD_L4);
	p->sport = env_get16(u);
	p->dport = env_get16(u + 2);
	p->flags |= VFR_PF_PORTS;
	return 0;
}

static int parse_sctp(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *s = p->head + p->l4;

	if (l4_room(p) < 12)
		return cut_off(c, p);
	p->sport = env_get16(s);
	p->dport = env_get16(s + 2);
	p->flags |= VFR_PF_PORTS;
	return 0;
}

static int parse_error(struct ctx *c, struct vfr_pkt *p)
{
	uint32_t room = l4_room(p);
	const uint8_t *q = p->head + p->l4 + 8;
	uint32_t hlen = IP6_LEN;

	if (p->flags & VFR_PF_FRAG)
		return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
	if (p->flags & VFR_PF_IPV4) {
		if (room < 8 + IP4_LEN || q[0] >> 4 != 4)
			return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
		hlen = (q[0] & 15u) * 4;
	}
	if (hlen < IP4_LEN || room < 8 + hlen + 8)
		return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
	p->quote = (uint16_t)(p->l4 + 8);
	p->flags |= VFR_PF_ICMPERR;
	return 0;
}

static int parse_icmp(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *i = p->head + p->l4;
	bool v4 = p->flags & VFR_PF_IPV4;

	if (l4_room(p) < 8)
		return cut_off(c, p);
	p->tcp_flags = i[0];
	p->icmp_code = i[1];
	if (i[0] == (v4 ? 8 : 128) || i[0] == (v4 ? 0 : 129)) {
		p->flags |= VFR_PF_PORTS | (i[0] == (v4 ? 8 : 128) ? VFR_PF_ECHOREQ : VFR_PF_ECHOREP);
		p->sport = p->dport = env_get16(i + 4);
		return 0;
	}
	p->sport = p->dport = 0;
	if (v4 ? i[0] == 3 || i[0] == 11 || i[0] == 12 : i[0] >= 1 && i[0] <= 4)
		return parse_error(c, p);
	return 0;
}

static int parse_l4(struct ctx *c, struct vfr_pkt *p)
{
	p->sport = p->dport = 0;
	p->tcp_flags = p->icmp_code = 0;
	if (p->flags & VFR_PF_LATER)
		return 0;
	switch (p->proto) {
	case IP_TCP:
		return parse_tcp(c, p);
	case IP_UDP:
		return parse_udp(c, p);
	case IP_SCTP:
		return parse_sctp(c, p);
	case IP_ICMP:
		return p->flags & VFR_PF_IPV4 ? parse_icmp(c, p) : 0;
	case IP_ICMP6:
		return p->flags & VFR_PF_IPV6 ? parse_icmp(c, p) : 0;
	case IP_ESP:
		return l4_room(p) < 8 ? cut_off(c, p) : 0;
	default:
		return 0;
	}
}

/* Source routes would let a packet choose its way around the owner check (RFC 7126). */
static int check_options(struct ctx *c, struct vfr_pkt *p, const uint8_t *o, uint32_t len)
{
	while (len) {
		if (o[0] == 0)
			return 0;
		if (o[0] == 1) {
			o++;
			len--;
			continue;
		}
		if (len < 2 || o[1] < 2 || o[1] > len || o[0] == 131 || o[0] == 137)
			return vfr_drop(c, p, VFR_DROP_IP_OPTIONS);
		len -= o[1];
		o += o[1];
	}
	return 0;
}

static int parse_frag4(struct ctx *c, struct vfr_pkt *p, uint16_t frag)
{
	uint32_t offset = (frag & 0x1fffu) * 8, len = p->l3_len - (p->l4 - p->l3);

	if (frag & IP4_DF)
		p->flags |= VFR_PF_DF;
	if (!(frag & (IP4_MF | 0x1fff)))
		return 0;
	p->flags |= VFR_PF_FRAG | (offset ? VFR_PF_LATER : 0) | (frag & IP4_MF ? VFR_PF_MORE : 0);
	if (!len || offset + len > 65535 - IP4_LEN || ((frag & IP4_MF) && len % 8))
		return vfr_drop(c, p, VFR_DROP_FRAG_BAD);
	/* RFC 3128: a fragment at offset 8 could only overwrite the flags of the first one's TCP header. */
	if (offset == 8 && p->proto == IP_TCP)
		return vfr_drop(c, p, VFR_DROP_FRAG_TINY);
	return 0;
}

/* The checksum of a header without options is the common case: five words, unrolled. */
static bool header_sum_ok(const uint8_t *ip, uint32_t hlen)
{
	uint64_t a, b;
	uint32_t w;

	if (hlen != IP4_LEN)
		return csum_fold(csum_add(0, ip, hlen)) == 0xffff;
	__builtin_memcpy(&a, ip, 8);
	__builtin_memcpy(&b, ip + 8, 8);
	__builtin_memcpy(&w, ip + 16, 4);
	return csum_fold((a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + w) == 0xffff;
}

static int parse_ip4(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *ip = p->head + ETH_LEN;
	int r = 0;

	if (p->len < ETH_LEN + IP4_LEN)
		return vfr_drop(c, p, VFR_DROP_SHORT);
	uint32_t hlen = (ip[0] & 15u) * 4;
	p->l3_len = env_get16(ip + IP4_TLEN);
	if (ip[0] >> 4 != 4 || hlen < IP4_LEN || p->l3_len < hlen || p->l3_len > p->len - ETH_LEN || ETH_LEN + hlen > p->head_len)
		return vfr_drop(c, p, VFR_DROP_BAD_IP);
	if (!header_sum_ok(ip, hlen))
		return vfr_drop(c, p, VFR_DROP_BAD_IP_CSUM);
	p->flags = VFR_PF_IPV4;
	p->l3 = ETH_LEN;
	p->l4 = (uint16_t)(ETH_LEN + hlen);
	p->proto = ip[IP4_PROTO];
	p->src = env_get32(ip + IP4_SRC);
	p->dst = env_get32(ip + IP4_DST);
	p->dscp = ip[IP4_TOS] >> 2;
	p->ecn = ip[IP4_TOS] & 3;
	if (hlen > IP4_LEN)
		r = check_options(c, p, ip + IP4_LEN, hlen - IP4_LEN);
	if (!r)
		r = parse_frag4(c, p, env_get16(ip + IP4_FRAG));
	return r ? r : parse_l4(c, p);
}

static int parse_frag6(struct ctx *c, struct vfr_pkt *p, const uint8_t *fh)
{
	uint16_t f = env_get16(fh + 2);
	uint32_t offset = f & 0xfff8u, len = p->l3_len - (p->l4 - p->l3);

	if (!(f & 0xfff9))
		return 0;	/* an atomic fragment (RFC 6946) is a whole packet */
	p->flags |= VFR_PF_FRAG | (offset ? VFR_PF_LATER : 0) | (f & 1 ? VFR_PF_MORE : 0);
	if (!len || offset + len > 65535 || ((f & 1) && len % 8))
		return vfr_drop(c, p, VFR_DROP_FRAG_BAD);
	if (offset == 8 && p->proto == IP_TCP)
		return vfr_drop(c, p, VFR_DROP_FRAG_TINY);
	return 0;
}

/* Walk the extension headers to the transport header; routing headers are refused (RFC 5095). */
static int walk_ext(struct ctx *c, struct vfr_pkt *p, uint8_t next)
{
	uint32_t at = p->l3 + IP6_LEN, end = p->l3 + p->l3_len;

	if (end > p->head_len)
		end = p->head_len;
	for (unsigned int i = 0;; i++) {
		bool ext = next == 0 || next == 60 || next == IP_FRAGMENT;

		if (next == 43 || (next == 0 && i > 0) || i > EXT_MAX || (ext && at + 8 > end))
			return vfr_drop(c, p, VFR_DROP_IP_OPTIONS);
		if (!ext || p->flags & VFR_PF_LATER)
			break;
		const uint8_t *h = p->head + at;
		at += next == IP_FRAGMENT ? 8 : 8u + h[1] * 8u;
		if (at > end)
			return vfr_drop(c, p, VFR_DROP_IP_OPTIONS);
		p->l4 = (uint16_t)at;
		p->proto = h[0];
		if (next == IP_FRAGMENT) {
			if (p->quote)
				return vfr_drop(c, p, VFR_DROP_IP_OPTIONS);
			p->quote = (uint16_t)(at - 8);
			int r = parse_frag6(c, p, h);
			if (r)
				return r;
		}
		next = h[0];
	}
	p->l4 = (uint16_t)at;
	p->proto = next;
	return 0;
}

static int parse_ip6(struct ctx *c, struct vfr_pkt *p)
{
	const uint8_t *ip = p->head + ETH_LEN;

	if (p->len < ETH_LEN + IP6_LEN)
		return vfr_drop(c, p, VFR_DROP_SHORT);
	p->l3_len = IP6_LEN + env_get16(ip + IP6_PLEN);
	if (ip[0] >> 4 != 6 || p->l3_len > p->len - ETH_LEN)
		return vfr_drop(c, p, VFR_DROP_BAD_IP);
	p->flags = VFR_PF_IPV6 | VFR_PF_DF;
	p->l3 = ETH_LEN;
	p->l4 = ETH_LEN + IP6_LEN;
	p->quote = 0;
	p->proto = ip[IP6_NEXT];
	p->src = p->dst = 0;
	p->dscp = (uint8_t)(env_get16(ip) >> 6 & 0x3f);
	p->ecn = ip[1] >> 4 & 3;
	int r = walk_ext(c, p, p->proto);
	return r ? r : parse_l4(c, p);
}

int vfr_parse(struct ctx *c, struct vfr_pkt *p)
{
	int r;

	if (p->len < ETH_LEN || p->head_len > p->len || (p->head_len < p->len && p->head_len < VFR_HEAD_MIN))
		return vfr_drop(c, p, VFR_DROP_SHORT);
	r = link_check(c, p);
	if (r)
		return r;
	switch (env_get16(p->head + 12)) {
	case ETH_IPV4:
		r = parse_ip4(c, p);
		break;
	case ETH_IPV6:
		r = parse_ip6(c, p);
		break;
	case ETH_ARP:
		p->flags = VFR_PF_ARP;
		return p->len < ETH_LEN + 28 ? vfr_drop(c, p, VFR_DROP_SHORT) : 0;
	default:
		return vfr_drop(c, p, VFR_DROP_ETHERTYPE);
	}
	if (!r)
		vfr_hash_flow(c->v, p);
	return r;
}

static void quote_ports(const struct vfr_pkt *p, struct quote *q)
{
	const uint8_t *t = p->head + q->l4;
	uint8_t icmp = p->flags & VFR_PF_IPV4 ? IP_ICMP : IP_ICMP6;

	if (q->proto == IP_TCP || q->proto == IP_UDP || q->proto == IP_SCTP) {
		q->sport = env_get16(t);
		q->dport = env_get16(t + 2);
		q->ports = true;
	} else if (q->proto == icmp) {
		bool v4 = icmp == IP_ICMP;

		q->ports = v4 ? t[0] == 0 || t[0] == 8 : t[0] == 128 || t[0] == 129;
		q->error = v4 ? t[0] == 3 || t[0] == 11 || t[0] == 12 : t[0] < 128;
		q->sport = q->dport = env_get16(t + 4);
	}
}

/* => the quoted transport header is there, behind the extension headers; a later fragment has none. */
static bool quote_walk(const struct vfr_pkt *p, struct quote *q)
{
	uint32_t at = p->quote + IP6_LEN, end = p->l3 + p->l3_len < p->head_len ? p->l3 + p->l3_len : p->head_len;
	const uint8_t *h = p->head;

	for (unsigned int i = 0; i < EXT_MAX && at + 8 <= end; i++) {
		if (q->proto != 0 && q->proto != 60 && q->proto != IP_FRAGMENT) {
			q->l4 = (uint16_t)at;
			return true;
		}
		bool piece = q->proto == IP_FRAGMENT, later = piece && (env_get16(h + at + 2) & 0xfff8);
		q->proto = h[at];
		at += piece ? 8 : 8u + h[at + 1] * 8u;
		if (later)
			return false;
	}
	return false;
}

bool vfr_parse_quote(const struct vfr_pkt *p, struct quote *q)
{
	const uint8_t *ip = p->head + p->quote;

	memset(q, 0, sizeof(*q));
	if (p->flags & VFR_PF_IPV4) {
		if (env_get16(ip + IP4_FRAG) & 0x1fff)
			return false;
		q->proto = ip[IP4_PROTO];
		q->src = env_get32(ip + IP4_SRC);
		q->dst = env_get32(ip + IP4_DST);
		q->l4 = (uint16_t)(p->quote + (ip[0] & 15u) * 4);
	} else {
		if (ip[0] >> 4 != 6)
			return false;
		q->proto = ip[IP6_NEXT];
		q->src6 = ip + IP6_SRC;
		q->dst6 = ip + IP6_DST;
		if (!quote_walk(p, q))
			return true;
	}
	quote_ports(p, q);
	return !q->error;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way out: which port, which next hop, and what a router does to every packet (TTL, MTU, link addresses).
 * Routes are few: a list sorted by prefix length is searched from the front, and the first match is the longest.
 */
#include <vfr/priv.h>

#define FRAME_MAX 2048u		/* of fragments that the router makes */

/* --- the table -------------------------------------------------------------------------------------------------------- */

const struct route *vfr_route_find(struct vfr *v, const uint8_t *dst, uint8_t family)
{
	const struct route_table *t = rcu_get(v->routes);

	if (!t)
		return NULL;
	const struct route *r = family == 4 ? t->r : t->r + t->n[0];
	uint64_t a = family == 4 ? (uint64_t)env_get32(dst) << 32 : env_get64(dst), b = family == 4 ? 0 : env_get64(dst + 8);
	for (uint32_t i = 0; i < t->n[family == 6]; i++)
		if (!(((a ^ r[i].net[0]) & r[i].mask[0]) | ((b ^ r[i].net[1]) & r[i].mask[1])))
			return &r[i];
	return NULL;
}

static size_t table_size(uint32_t n)
{
	return sizeof(struct route_table) + n * sizeof(struct route);
}

static bool same_prefix(const struct route *a, const struct route *b)
{
	return a->family == b->family && a->plen == b->plen && !memcmp(a->prefix, b->prefix, 16);
}

/* => the table again, without the route that has `which`'s prefix, and with `add` in its place by length. */
static int rebuild(struct vfr *v, const struct route *which, const struct route *add)
{
	struct route_table *old = rcu_get(v->routes), *t;
	uint32_t n = old ? old->n[0] + old->n[1] : 0, kept = 0, to = 0;

	for (uint32_t i = 0; i < n; i++)
		kept += !same_prefix(&old->r[i], which);
	if (!add && kept == n)
		return -ENOENT;
	if (kept + !!add > ROUTES_MAX)
		return -ENOSPC;
	t = env_alloc(table_size(kept + !!add));
	if (!t)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct route *r = &old->r[i];

		if (add && (r->family > add->family || (r->family == add->family && r->plen < add->plen))) {
			t->r[to++] = *add;
			add = NULL;
		}
		if (!same_prefix(r, which))
			t->r[to++] = *r;
	}
	if (add)
		t->r[to++] = *add;
	for (uint32_t i = 0; i < to; i++)
		t->n[t->r[i].family == 6]++;
	rcu_set(v->routes, t);
	if (old)
		vfr_retire(v, &old->rcu, table_size(n), NULL);
	return 0;
}

static void mask_prefix(uint8_t *prefix, uint8_t plen)
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int bits = i * 8 >= plen ? 0 : plen - i * 8u >= 8 ? 8 : plen - i * 8u;

		prefix[i] &= (uint8_t)(0xff00u >> bits);
	}
}

static int change(struct vfr *v, struct route *r, bool add)
{
	if (r->plen > (r->family == 4 ? 32 : 128) || (add && r->uplink >= v->par.max_ports))
		return -EINVAL;
	mask_prefix(r->prefix, r->plen);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int bits = r->plen > i * 64u ? (r->plen > i * 64u + 63 ? 64 : r->plen - i * 64u) : 0;

		r->net[i] = env_get64(r->prefix + i * 8);
		r->mask[i] = bits ? UINT64_MAX << (64 - bits) : 0;
	}
	env_lock(&v->config_lock);
	int ret = rebuild(v, r, add ? r : NULL);
	env_unlock(&v->config_lock);
	vfr_reclaim(v);
	return ret;
}

int vfr_route_add(struct vfr *v, uint32_t prefix, uint8_t plen, uint16_t uplink, uint32_t next_hop, uint32_t src)
{
	struct route r = { .plen = plen, .family = 4, .uplink = uplink, .on_link = !next_hop, .src = src };

	env_put32(r.prefix, prefix);
	env_put32(r.next_hop, next_hop);
	return change(v, &r, true);
}

int vfr_route_del(struct vfr *v, uint32_t prefix, uint8_t plen)
{
	struct route r = { .plen = plen, .family = 4 };

	env_put32(r.prefix, prefix);
	return change(v, &r, false);
}

int vfr_route6_add(struct vfr *v, const uint8_t prefix[16], uint8_t plen, uint16_t uplink, const uint8_t next_hop[16])
{
	static const uint8_t none[16];
	struct route r = { .plen = plen, .family = 6, .uplink = uplink, .on_link = !memcmp(next_hop, none, 16) };

	memcpy(r.prefix, prefix, 16);
	memcpy(r.next_hop, next_hop, 16);
	return change(v, &r, true);
}

int vfr_route6_del(struct vfr *v, const uint8_t prefix[16], uint8_t plen)
{
	struct route r = { .plen = plen, .family = 6 };

	memcpy(r.prefix, prefix, 16);
	return change(v, &r, false);
}

/* --- the stage -------------------------------------------------------------------------------------------------------- */

/* A router takes one from the TTL, on every way through it (RFC 1812 section 5.3.1). */
static int take_ttl(struct ctx *c, struct vfr_pkt *p)
{
	uint8_t *ip = p->head + p->l3;
	uint8_t *ttl = p->flags & VFR_PF_IPV4 ? ip + IP4_TTL : ip + IP6_HOPS;

	if (*ttl <= 1) {
		STEP(c, "ttl", "%u runs out", *ttl);
		vfr_icmp_error(c, p, ICMP4_TIME, 0, 0);
		return vfr_drop(c, p, VFR_DROP_TTL);
	}
	if (p->flags & VFR_PF_IPV4) {
		uint16_t was = csum_load(ip + IP4_TTL);

		/* The TTL is the low byte of this word in memory order, and not zero: nothing is borrowed. */
		csum_store(ip + IP4_TTL, (uint16_t)(was - 1));
		csum_update(ip + IP4_CSUM, was, (uint16_t)(was - 1));
	} else {
		--*ttl;
	}
	return 0;
}

/* => IP bytes of the largest packet on the wire. */
static uint32_t wire_size(const struct vfr_pkt *p)
{
	uint32_t hdr = (uint32_t)p->l4 - p->l3;

	if (p->gso == VFR_GSO_NONE)
		return p->l3_len;
	hdr += p->proto == IP_TCP && (p->flags & VFR_PF_PORTS) ? (uint32_t)(p->head[p->l4 + 12] >> 4) * 4 : 8;
	return hdr + p->gso_size < p->l3_len ? hdr + p->gso_size : p->l3_len;
}

static void write_macs(uint8_t *frame, const uint8_t *dst, const uint8_t *src)
{
	__builtin_memcpy(frame, dst, 6);
	__builtin_memcpy(frame + 6, src, 6);
}

/* Only what is linear can be split: the router cannot see the rest. */
static bool splittable(const struct vfr_pkt *p, const struct vfr_port *out)
{
	bool sum = p->csum != VFR_CSUM_PARTIAL || (!(p->flags & VFR_PF_FRAG) && p->csum_start >= p->l4 &&
		p->csum_start + p->csum_offset + 2u <= p->l3 + p->l3_len);

	return !(p->flags & VFR_PF_DF) && p->l4 - p->l3 == IP4_LEN && p->head_len >= p->l3 + p->l3_len && !p->gso && sum &&
	       p->l3 + out->mtu <= FRAME_MAX;
}

/* What the card would do with a whole packet it cannot do with pieces. */
static void finish_csum(struct vfr_pkt *p)
{
	uint8_t *from = p->head + p->csum_start;
	uint16_t sum = csum_of(from, p->l3 + p->l3_len - p->csum_start);

	csum_store(from + p->csum_offset, sum || p->proto != IP_UDP ? sum : 0xffff);
	p->csum = VFR_CSUM_FULL;
}

static void put_out(struct ctx *c, const struct vfr_pkt *p, const struct vfr_port *out, const uint8_t *frame, uint32_t len)
{
	if (!c->v->ops->piece || c->trace) {
		vfr_emit(c, out->id, frame, len);
		return;
	}
	c->cpu->total.emitted++;
	c->v->ops->piece(c->v->host, p, frame, len);
}

/* RFC 791: the pieces of a datagram whose link addresses are written. */
static void split(struct ctx *c, const struct vfr_pkt *p, const struct vfr_port *out)
{
	uint8_t frame[FRAME_MAX];
	uint32_t left = p->l3_len - IP4_LEN, at = p->l4, chunk = (out->mtu - IP4_LEN) & ~7u;
	uint16_t fo = env_get16(p->head + p->l3 + IP4_FRAG);

	while (left) {
		uint32_t n = left > chunk ? chunk : left;

		memcpy(frame, p->head, p->l4);
		memcpy(frame + p->l4, p->head + at, n);
		env_put16(frame + p->l3 + IP4_TLEN, (uint16_t)(IP4_LEN + n));
		env_put16(frame + p->l3 + IP4_FRAG, (uint16_t)(fo | (left > n ? IP4_MF : 0)));
		env_put16(frame + p->l3 + IP4_CSUM, 0);
		csum_store(frame + p->l3 + IP4_CSUM, csum_of(frame + p->l3, IP4_LEN));
		put_out(c, p, out, frame, p->l4 + n);
		fo = (uint16_t)(fo + n / 8);
		at += n;
		left -= n;
	}
}

int vfr_route_send(struct ctx *c, struct vfr_pkt *p, const struct vfr_port *out)
{
	if (wire_size(p) <= out->mtu)
		return VFR_FORWARD;
	if (!splittable(p, out))
		return vfr_drop(c, p, VFR_DROP_TOO_BIG);
	if (p->csum == VFR_CSUM_PARTIAL)
		finish_csum(p);
	split(c, p, out);
	return VFR_CONSUMED;
}

static int too_big(struct ctx *c, struct vfr_pkt *p, const struct vfr_port *out)
{
	STEP(c, "mtu", "%u bytes on a link of %u", wire_size(p), out->mtu);
	vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_FRAG, out->mtu);
	return vfr_drop(c, p, VFR_DROP_TOO_BIG);
}

static int to_guest(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	const struct vfr_port *out = vfr_port_at(c->v, atomic_load_explicit(&w->dst->port, memory_order_relaxed));

	if (!out)
		return vfr_drop(c, p, VFR_DROP_OWNER_DOWN);
	if (wire_size(p) > out->mtu && !splittable(p, out))
		return too_big(c, p, out);
	int r = take_ttl(c, p);
	if (r)
		return r;
	p->out_port = out->id;
	write_macs(p->head, out->mac, c->v->par.gateway_mac);
	STEP_OF(c, w->dst->domid, out->id, "route", "to $dom");
	return vfr_route_send(c, p, out);
}

static int multicast_out(struct ctx *c, struct vfr_pkt *p, const struct vfr_port *out)
{
	uint8_t mac[6] = { 0x01, 0x00, 0x5e, (p->dst >> 16) & 0x7f, p->dst >> 8 & 0xff, p->dst & 0xff };

	write_macs(p->head, mac, out->mac);
	p->out_port = out->id;
	return vfr_route_send(c, p, out);
}

static void trace_hop(struct ctx *c, const struct route *rt, const struct vfr_port *out)
{
	const uint8_t *hop = rt->next_hop;

	if (rt->on_link)
		STEP_OF(c, VFR_NODOM, out->id, "route", "$port, on its link");
	else if (rt->family == 4)
		STEP_OF(c, VFR_NODOM, out->id, "route", "$port, by %u.%u.%u.%u", hop[0], hop[1], hop[2], hop[3]);
	else
		STEP_OF(c, VFR_NODOM, out->id, "route", "$port, by the next hop");
}

static int to_uplink(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	bool v4 = p->flags & VFR_PF_IPV4;
	const uint8_t *dst = p->head + p->l3 + (v4 ? IP4_DST : IP6_DST);
	const struct route *rt = vfr_route_find(c->v, dst, v4 ? 4 : 6);
	const struct vfr_port *out = rt ? vfr_port_at(c->v, rt->uplink) : NULL;
	int r;

	if (!out || out->kind != VFR_PORT_UPLINK) {
		STEP(c, "route", "none");
		vfr_icmp_error(c, p, ICMP4_UNREACH, 0, 0);
		return vfr_drop(c, p, VFR_DROP_NO_ROUTE);
	}
	if (wire_size(p) > out->mtu && !splittable(p, out))
		return too_big(c, p, out);
	r = take_ttl(c, p);
	if (r)
		return r;
	/* Not before here: an error quotes the sender's own number. */
	if (w->frag || wire_size(p) > out->mtu)
		vfr_frag_ident(c, p, w);
	if (v4 && p->dst >> 28 == 14)
		return multicast_out(c, p, out);
	trace_hop(c, rt, out);
	r = vfr_neigh_send(c, p, w, out, rt->on_link ? dst : rt->next_hop, v4 ? 4 : 6, rt->src);
	return r == VFR_FORWARD ? vfr_route_send(c, p, out) : r;
}

int vfr_route(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	p->src_dom = w->src ? w->src->domid : VFR_NODOM;
	p->dst_dom = w->dst ? w->dst->domid : VFR_NODOM;
	if (w->dst)
		return to_guest(c, p, w);
	if (c->in->kind == VFR_PORT_UPLINK)
		return vfr_drop(c, p, VFR_DROP_TRANSIT);
	return to_uplink(c, p, w);
}

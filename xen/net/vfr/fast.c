/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way for plain packets.
 *
 * Most packets are whole TCP or UDP without options, between outside and a guest that holds its public address, and what rules there
 * are have no more to say of them than that they pass. They pass all checks of the stages, but in one straight function. The rule that
 * keeps this honest: the short way only ever says "forward". At the first doubt it gives up, having changed nothing, and the stages
 * decide; and whatever it forwards, the stages would have forwarded in the same way (tests run both and compare).
 *
 * Here are batches, and IPv4. IPv6 is in fast6.c, what both need in fast.h.
 */
#include <vfr/fast.h>

/* --- parsing ---------------------------------------------------------------------------------------------------------- */

/* => true: parsed, and all that vfr_parse() would have set is set. */
static inline bool plain(const struct ctx *c, struct vfr_pkt *p, const uint8_t *own)
{
	const uint8_t *h = p->head, *ip = h + ETH_LEN;
	uint64_t a, b;
	uint32_t d;

	if (p->len < 54 || p->head_len < 54 || p->head_len > p->len || (p->head_len < p->len && p->head_len < VFR_HEAD_MIN))
		return false;
	__builtin_memcpy(&a, ip, 8);
	__builtin_memcpy(&b, ip + 8, 8);
	__builtin_memcpy(&d, ip + 16, 4);
	/* Ethernet type IPv4, no options; no fragment: the flags and offset but DF are zero. */
	if (env_get32(h + 12) >> 8 != 0x080045 || (a >> 48 & 0xffbf) || !mac_equal(h, own))
		return false;
	if (csum_fold((a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + d) != 0xffff)
		return false;
	uint32_t len = env_be16((uint16_t)(a >> 16));
	if (len > p->len - ETH_LEN || len < IP4_LEN)
		return false;
	p->flags = VFR_PF_IPV4 | VFR_PF_PORTS | (a >> 48 ? VFR_PF_DF : 0);
	p->proto = (uint8_t)(b >> 8);
	p->l3 = ETH_LEN;
	p->l4 = ETH_LEN + IP4_LEN;
	p->l3_len = len;
	p->icmp_code = 0;
	p->src = env_be32((uint32_t)(b >> 32));
	p->dst = env_be32(d);
	p->dscp = ip[IP4_TOS] >> 2;
	p->ecn = ip[IP4_TOS] & 3;
	if (!plain_ports(p, ip + IP4_LEN, len - IP4_LEN))
		return false;
	vfr_hash_flow(c->v, p);
	return true;
}

static inline uint16_t owner4(struct ctx *c, const struct vfr_pkt *p)
{
	const struct addr_entry *e = vfr_addr_find(c->addrs, p->dst);

	if (e && e->kind == ADDR_SHARED)
		return vfr_owner(e->shared, p->proto == IP_TCP ? 0 : 1, p->dport);
	return e && e->kind == ADDR_DEDICATED ? e->slot : SLOT_NONE;
}

/* Whose an inbound packet is: found now, so that what is known of the owner comes while the rest of the batch is parsed. */
static inline void look_ahead(struct ctx *c, struct vfr_pkt *p)
{
	p->dst_dom = p->flags & VFR_PF_IPV4 ? owner4(c, p) : vfr_plain6_owner(c, p);
	__builtin_prefetch(&c->v->way[p->dst_dom]);
}

static inline void look_further(struct ctx *c, const struct vfr_pkt *p)
{
	struct vfr_dir_counters *n = rcu_get(c->v->way[p->dst_dom].count);

	if (n)
		__builtin_prefetch(&n[c->cpu_id * 2 + VFR_IN], 1);
}

/* => parsed[i]: PARSED_PLAIN, 0 for parsed by the stages' parser, or its verdict. */
void vfr_parse_batch(struct ctx *c, struct vfr_pkt **pkts, unsigned int n, int *parsed)
{
	const struct vfr_port *in = c->in;
	const uint8_t *own = !in ? NULL : in->kind == VFR_PORT_GUEST ? c->v->par.gateway_mac : in->mac;
	bool conns = atomic_load_explicit(&c->v->conns.wanted, memory_order_relaxed);

	for (unsigned int i = 0; i < n && i < AHEAD; i++)
		__builtin_prefetch(pkts[i]->head);
	for (unsigned int i = 0; i < n; i++) {
		struct vfr_pkt *p = pkts[i];

		if (i + AHEAD < n)
			__builtin_prefetch(pkts[i + AHEAD]->head);
		vfr_pkt_reset(p);
		if (in && (plain(c, p, own) || vfr_plain6(c, p, own)) && (in->kind == VFR_PORT_UPLINK || mac_equal(p->head + 6, in->mac))) {
			parsed[i] = PARSED_PLAIN;
			if (conns)
				conn_prepare(&c->v->conns, c->v->key, p);
			if (in->kind == VFR_PORT_UPLINK)
				look_ahead(c, p);
			continue;
		}
		vfr_pkt_reset(p);
		parsed[i] = vfr_parse_slow(c, p);
	}
	for (unsigned int i = 0; i < n; i++) {
		if (parsed[i] != PARSED_PLAIN)
			continue;
		if (conns)
			conn_prepare2(&c->v->conns, pkts[i]);
		if (in->kind == VFR_PORT_UPLINK)
			look_further(c, pkts[i]);
	}
}

/* --- the stages, straight --------------------------------------------------------------------------------------------- */

/* The last step, when nothing can go wrong any more. */
static inline void send_on(struct vfr_pkt *p, uint16_t port, uint64_t dst_mac, const uint8_t *src_mac)
{
	uint8_t *h = p->head, *ip = h + ETH_LEN;
	uint16_t was = csum_load(ip + IP4_TTL);

	csum_store(ip + IP4_TTL, (uint16_t)(was - 1));
	csum_update(ip + IP4_CSUM, was, (uint16_t)(was - 1));
	plain_sent(p, port, dst_mac, src_mac);
}

static inline bool small_enough(const struct vfr_pkt *p, uint16_t mtu)
{
	return p->gso == VFR_GSO_NONE && p->l3_len <= mtu && p->head[ETH_LEN + IP4_TTL] > 1;
}

static inline bool from_uplink(struct ctx *c, struct vfr_pkt *p)
{
	uint16_t slot = p->dst_dom;
	const struct dom_way *way = &c->v->way[slot];
	uint64_t to = atomic_load_explicit(&way->to, memory_order_acquire);

	if (!to || never_source(p->src) || vfr_addr_find(c->addrs, p->src) || !small_enough(p, (uint16_t)(to >> 16)))
		return false;
	if (!plain_rules_let(c, p, slot, to & WAY_RULES, VFR_IN))
		return false;
	send_on(p, (uint16_t)to, atomic_load_explicit(&way->mac, memory_order_relaxed), c->v->par.gateway_mac);
	p->src_dom = VFR_NODOM;
	p->dst_dom = (uint16_t)(to >> 32);
	plain_count(c, p, rcu_get(way->count), VFR_IN);
	return true;
}

static inline bool from_guest(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *d)
{
	const struct addr_entry *e = vfr_addr_find(c->addrs, p->src);
	uint16_t slot = SLOT_NONE;
	uint8_t dst[4];

	if (e && e->kind == ADDR_SHARED)
		slot = vfr_owner(e->shared, p->proto == IP_TCP ? 0 : 1, p->sport);
	else if (e && e->kind == ADDR_DEDICATED)
		slot = e->slot;
	if (slot == SLOT_NONE || slot != d->slot || never_source(p->dst) || vfr_addr_find(c->addrs, p->dst) || p->dport == 67)
		return false;
	env_put32(dst, p->dst);
	const struct route *rt = vfr_route_find(c->v, dst, 4);
	const struct vfr_port *out = rt ? vfr_port_at(c->v, rt->uplink) : NULL;
	if (!out || out->kind != VFR_PORT_UPLINK || !small_enough(p, out->mtu) || !plain_may_leave(&rcu_get(d->cfg)->c, p))
		return false;
	uint64_t mac;
	struct neigh *hop = plain_towards(c, rt, out->id, dst, 4, &mac);
	if (!mac || !plain_rules_let(c, p, slot, rcu_get(d->rules), VFR_OUT))
		return false;
	neigh_use(hop);
	send_on(p, out->id, mac, out->mac);
	p->src_dom = d->domid;
	p->dst_dom = VFR_NODOM;
	plain_count(c, p, d->count, VFR_OUT);
	return true;
}

bool vfr_plain_way(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *from)
{
	if (p->flags & VFR_PF_IPV6)
		return vfr_plain6_way(c, p, from);
	if (c->in->kind == VFR_PORT_UPLINK)
		return from_uplink(c, p);
	return from && from_guest(c, p, from);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The short way for plain packets of IPv6: TCP and UDP right behind the IP header, between outside and a guest's own prefix. */
#include <vfr/fast.h>

#define PLAIN_MIN	(ETH_LEN + IP6_LEN + 20u)

/* => an address of one host that may cross a router (RFC 4291 section 2.5): no group, not link-local, not :: nor ::1. */
static inline bool crosses(const uint8_t *a)
{
	return a[0] != 0xff && !link_local6(a) && !never6(a);
}

bool vfr_plain6(const struct ctx *c, struct vfr_pkt *p, const uint8_t *own_mac)
{
	const uint8_t *h = p->head, *ip = h + ETH_LEN;

	if (p->len < PLAIN_MIN || p->head_len < PLAIN_MIN || p->head_len > p->len || (p->head_len < p->len && p->head_len < VFR_HEAD_MIN))
		return false;
	if (env_get16(h + 12) != ETH_IPV6 || ip[0] >> 4 != 6 || !mac_equal(h, own_mac))
		return false;
	uint32_t len = IP6_LEN + env_get16(ip + IP6_PLEN);
	if (len > p->len - ETH_LEN)
		return false;
	p->flags = VFR_PF_IPV6 | VFR_PF_DF | VFR_PF_PORTS;
	p->proto = ip[IP6_NEXT];
	p->l3 = ETH_LEN;
	p->l4 = ETH_LEN + IP6_LEN;
	p->l3_len = len;
	p->quote = 0;
	p->icmp_code = 0;
	p->src = p->dst = 0;
	p->dscp = (uint8_t)(env_get16(ip) >> 6 & 0x3f);
	p->ecn = ip[1] >> 4 & 3;
	if (!plain_ports(p, ip + IP6_LEN, len - IP6_LEN))
		return false;
	vfr_hash_flow(c->v, p);
	return true;
}

uint16_t vfr_plain6_owner(struct ctx *c, const struct vfr_pkt *p)
{
	const uint8_t *dst = p->head + p->l3 + IP6_DST;
	const struct pfx6_entry *e = vfr_pfx6_find(rcu_get(c->v->pfx6), dst);

	return e && e->kind == ADDR_DEDICATED && crosses(dst) ? e->slot : SLOT_NONE;
}

static inline bool small_enough(const struct vfr_pkt *p, uint16_t mtu)
{
	return p->gso == VFR_GSO_NONE && p->l3_len <= mtu && p->head[ETH_LEN + IP6_HOPS] > 1;
}

static bool from_uplink(struct ctx *c, struct vfr_pkt *p)
{
	uint16_t slot = p->dst_dom;
	const struct dom_way *way = &c->v->way[slot];
	const uint8_t *src = p->head + p->l3 + IP6_SRC;
	uint64_t to = atomic_load_explicit(&way->to, memory_order_acquire);

	if (!to || !crosses(src) || vfr_pfx6_find(rcu_get(c->v->pfx6), src) || !small_enough(p, (uint16_t)(to >> 16)) ||
		!plain_rules_let(c, p, slot, to & WAY_RULES, VFR_IN))
		return false;
	p->head[ETH_LEN + IP6_HOPS]--;
	plain_sent(p, (uint16_t)to, atomic_load_explicit(&way->mac, memory_order_relaxed), c->v->par.gateway_mac);
	p->src_dom = VFR_NODOM;
	p->dst_dom = (uint16_t)(to >> 32);
	plain_count(c, p, rcu_get(way->count), VFR_IN);
	return true;
}

static bool from_guest(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *d)
{
	const uint8_t *src = p->head + p->l3 + IP6_SRC, *dst = p->head + p->l3 + IP6_DST;
	const struct pfx6_table *t = rcu_get(c->v->pfx6);
	const struct pfx6_entry *e = vfr_pfx6_find(t, src);
	uint64_t mac;

	if (!e || e->slot != d->slot || !crosses(src) || !crosses(dst) || vfr_pfx6_find(t, dst) || p->dport == 67)
		return false;
	const struct route *rt = vfr_route_find(c->v, dst, 6);
	const struct vfr_port *out = rt ? vfr_port_at(c->v, rt->uplink) : NULL;
	if (!out || out->kind != VFR_PORT_UPLINK || !small_enough(p, out->mtu) || !plain_may_leave(&rcu_get(d->cfg)->c, p))
		return false;
	struct neigh *hop = plain_towards(c, rt, out->id, dst, 6, &mac);
	if (!mac || !plain_rules_let(c, p, d->slot, rcu_get(d->rules), VFR_OUT))
		return false;
	neigh_use(hop);
	p->head[ETH_LEN + IP6_HOPS]--;
	plain_sent(p, out->id, mac, out->mac);
	p->src_dom = d->domid;
	p->dst_dom = VFR_NODOM;
	plain_count(c, p, d->count, VFR_OUT);
	return true;
}

bool vfr_plain6_way(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *from)
{
	if (c->in->kind == VFR_PORT_UPLINK)
		return from_uplink(c, p);
	return from && from_guest(c, p, from);
}

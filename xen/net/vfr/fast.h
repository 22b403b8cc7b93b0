/* SPDX-License-Identifier: BSD-2-Clause */
/* The short way for plain packets: what IPv4 (fast.c) and IPv6 (fast6.c) have in common. */
#ifndef VFR_FAST_H
#define VFR_FAST_H

#include <vfr/priv.h>

/* => the transport header's length is sound; its ports and flags are in p. 20 bytes can be read at t. */
static inline bool plain_ports(struct vfr_pkt *p, const uint8_t *t, uint32_t l4_len)
{
	uint32_t ports;

	if (p->proto == IP_TCP) {
		uint32_t off = (uint32_t)(t[12] >> 4) * 4;

		if (l4_len < 20 || off < 20 || off > l4_len)
			return false;
		p->tcp_flags = t[13];
		if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			p->flags |= VFR_PF_NEWFLOW;
	} else {
		uint32_t len = env_get16(t + 4);

		if (p->proto != IP_UDP || l4_len < 8 || len < 8 || len > l4_len)
			return false;
		p->tcp_flags = 0;
	}
	ports = env_get32(t);
	p->sport = (uint16_t)(ports >> 16);
	p->dport = (uint16_t)ports;
	return true;
}

static inline void plain_count(struct ctx *c, const struct vfr_pkt *p, struct vfr_dir_counters *of, enum vfr_dir dir)
{
	struct vfr_dir_counters *n = of + c->cpu_id * 2 + dir;

	n->packets++;
	n->bytes += p->len;
	c->cpu->total.forwarded++;
}

/* Addresses of the link, and the answer. */
static inline void plain_sent(struct vfr_pkt *p, uint16_t port, uint64_t dst_mac, const uint8_t *src_mac)
{
	uint8_t *h = p->head;

	env_put16(h, (uint16_t)(dst_mac >> 32));
	env_put32(h + 2, (uint32_t)dst_mac);
	__builtin_memcpy(h + 6, src_mac, 6);
	p->out_port = port;
	p->verdict = VFR_FORWARD;
}

static inline bool plain_may_leave(const struct vfr_domain_cfg *cfg, const struct vfr_pkt *p)
{
	for (unsigned int i = 0; i < cfg->egress_denies; i++)
		if (cfg->egress_deny[i].proto == p->proto && p->dport >= cfg->egress_deny[i].first &&
			p->dport <= cfg->egress_deny[i].last)
			return false;
	return !cfg->new_flows_per_s || !(p->flags & VFR_PF_NEWFLOW);
}

/* => as vfr_neigh_find(). The packets of a batch mostly have the same next hop, which is looked up once. */
static inline struct neigh *plain_towards(struct ctx *c, const struct route *rt, uint16_t port, const uint8_t *dst,
					  uint8_t family, uint64_t *mac)
{
	if (rt->on_link)
		return vfr_neigh_find(c->v, port, dst, family, mac);
	if (rt != c->hop) {
		c->hop = rt;
		c->hop_neigh = vfr_neigh_find(c->v, port, rt->next_hop, family, &c->hop_mac);
	}
	*mac = c->hop_mac;
	return c->hop_neigh;
}

/* => the domain's rules (`rules`: it has some) and those for all let the packet pass, now or when they accepted its connection. */
static inline bool plain_rules_let(struct ctx *c, struct vfr_pkt *p, uint16_t slot, bool rules, enum vfr_dir dir)
{
	uint16_t chosen;

	if (!rules && !rcu_get(c->v->global_rules))
		return true;
	if (atomic_load_explicit(&c->v->conns.wanted, memory_order_relaxed) && vfr_conn_follow(c, p, slot, &chosen)) {
		p->sched_class = chosen;
		return true;
	}
	return vfr_rules_pass(c, p, vfr_dom_at(c->v, slot), dir);
}

/* fast6.c */
/* => true: parsed, and all that vfr_parse() would have set is set. */
bool vfr_plain6(const struct ctx *c, struct vfr_pkt *p, const uint8_t *own_mac);
/* => whose an inbound packet is; SLOT_NONE: nobody's, or the stages must see it. */
uint16_t vfr_plain6_owner(struct ctx *c, const struct vfr_pkt *p);
bool vfr_plain6_way(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *from);

#endif

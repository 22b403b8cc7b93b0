/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbour discovery (RFC 4861) and router advertisements.
 *
 * To a guest the router is every address of the link but the guest's own: solicitations are answered with the gateway MAC, those
 * for the guest's own prefix or address (duplicate detection included) with silence. On an uplink it answers for every
 * address that a domain owns, and learns from the answers to its own questions. Everything that it believes has
 * hop limit 255, so it came from the link itself. Redirects are never believed.
 *
 * A prefix that is taken away is named with lifetimes of zero, at once and in the next advertisements (RFC 4862 section 5.5.3: its
 * addresses are used for nothing new from then on); who is advertised to no more hears a router lifetime of zero (RFC 4861 section 6.2.5).
 */
#include <vfr/priv.h>

enum { RS = 133, RA = 134, NS = 135, NA = 136, REDIRECT = 137 };
enum { ND_TARGET = 8, ND_OPTIONS = 24, RS_OPTIONS = 8 };
enum { OPT_SOURCE = 1, OPT_TARGET = 2, OPT_PREFIX = 3, OPT_MTU = 5, OPT_RDNSS = 25 };
#define RA_PERIOD	(200 * SEC)
#define RA_PREFIXES	32u
#define RA_MAX		(16 + 8 + 8 + 24 + 32 * (RA_PREFIXES + 1))
#define GONE_TIMES	3
static_assert(IP6_LEN + RA_MAX <= 1280, "it passes any link");

static bool unspecified(const uint8_t *a)
{
	return !(env_get64(a) | env_get64(a + 8));
}

static bool link_local(const uint8_t *a)
{
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

/* => the link-layer address in the option of this type; NULL: none; *bad: the options make no sense. */
static const uint8_t *find_option(const uint8_t *o, const uint8_t *end, uint8_t type, bool *bad)
{
	const uint8_t *found = NULL;

	while (o < end) {
		if (o + 8 > end || !o[1] || o + o[1] * 8 > end) {
			*bad = true;
			return NULL;
		}
		if (o[0] == type && o[1] == 1)
			found = o + 2;
		o += o[1] * 8;
	}
	return found;
}

/* Header, length and checksum of an ICMPv6 message of `n` bytes behind an Ethernet and an IPv6 header. */
static void finish(uint8_t *f, const uint8_t *dmac, const uint8_t *smac, const uint8_t *src, const uint8_t *dst, uint32_t n)
{
	uint8_t *ip = f + ETH_LEN, *icmp = ip + IP6_LEN;

	memcpy(f, dmac, 6);
	memcpy(f + 6, smac, 6);
	env_put16(f + 12, ETH_IPV6);
	memset(ip, 0, 8);
	ip[0] = 0x60;
	env_put16(ip + IP6_PLEN, (uint16_t)n);
	ip[IP6_NEXT] = IP_ICMP6;
	ip[IP6_HOPS] = 255;
	memcpy(ip + IP6_SRC, src, 16);
	memcpy(ip + IP6_DST, dst, 16);
	csum_store(icmp + 2, 0);
	csum_store(icmp + 2, (uint16_t)~csum_fold(csum_add(csum_pseudo6(ip, IP_ICMP6, n), icmp, n)));
}

void vfr_nd_ask(struct ctx *c, const struct vfr_port *out, const uint8_t *mac, const uint8_t target[16])
{
	uint8_t f[ETH_LEN + IP6_LEN + 32] = { 0 }, *icmp = f + ETH_LEN + IP6_LEN, src[16], dst[16] = { 0xff, 2 }, group[6] = { 0x33,
		0x33, 0xff };

	vfr_link_local(src, out->mac);
	icmp[0] = NS;
	memcpy(icmp + ND_TARGET, target, 16);
	icmp[ND_OPTIONS] = OPT_SOURCE;
	icmp[ND_OPTIONS + 1] = 1;
	memcpy(icmp + ND_OPTIONS + 2, out->mac, 6);
	/* The solicited-node group of the target. */
	dst[11] = 1;
	dst[12] = 0xff;
	memcpy(dst + 13, target + 13, 3);
	memcpy(group + 3, target + 13, 3);
	finish(f, mac ? mac : group, out->mac, src, mac ? target : dst, 32);
	vfr_emit(c, out->id, f, sizeof(f));
}

static int advertise(struct ctx *c, const struct vfr_pkt *p, const uint8_t *own_mac)
{
	static const uint8_t all_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 }, all_nodes[16] = { 0xff, 2, [15] = 1 };
	uint8_t f[ETH_LEN + IP6_LEN + 32] = { 0 }, *icmp = f + ETH_LEN + IP6_LEN;
	const uint8_t *ip = p->head + p->l3, *target = p->head + p->l4 + ND_TARGET;
	bool probe = unspecified(ip + IP6_SRC);

	icmp[0] = NA;
	icmp[4] = (uint8_t)(0x80 | (probe ? 0 : 0x40));	/* router, solicited; never override */
	memcpy(icmp + ND_TARGET, target, 16);
	icmp[ND_OPTIONS] = OPT_TARGET;
	icmp[ND_OPTIONS + 1] = 1;
	memcpy(icmp + ND_OPTIONS + 2, own_mac, 6);
	finish(f, probe ? all_mac : p->head + 6, own_mac, target, probe ? all_nodes : ip + IP6_SRC, 32);
	vfr_emit(c, p->in_port, f, sizeof(f));
	STEP(c, "nd", "answered");
	return VFR_CONSUMED;
}

/* --- router advertisements -------------------------------------------------------------------------------------------- */

static uint8_t *put_prefix(uint8_t *o, uint64_t prefix, uint32_t valid, uint32_t preferred)
{
	o[0] = OPT_PREFIX;
	o[1] = 4;
	o[2] = 64;
	o[3] = 0x40;	/* SLAAC, but not on link: other addresses of the prefix are reached through us */
	env_put32(o + 4, valid);
	env_put32(o + 8, preferred);
	env_put64(o + 16, prefix);
	return o + 32;
}

static uint8_t *put_prefixes(struct ctx *c, uint8_t *o, struct vfr_dom *d)
{
	const struct pfx6_table *t = rcu_get(c->v->pfx6);
	uint64_t gone = atomic_load(&d->gone64);
	uint8_t left = atomic_load(&d->gone_left);
	bool say = left;
	unsigned int n = 0;

	for (uint32_t i = 0; i <= t->mask && n < RA_PREFIXES; i++) {
		if (t->e[i].plen != 64 || t->e[i].slot != d->slot)
			continue;
		o = put_prefix(o, env_get64(t->e[i].addr), 86400, 14400);
		say &= env_get64(t->e[i].addr) != gone;
		n++;
	}
	if (!say || !atomic_compare_exchange_strong(&d->gone_left, &left, (uint8_t)(left - 1)))
		return o;
	return put_prefix(o, gone, 0, 0);
}

static void send_ra(struct ctx *c, const struct vfr_port *port, struct vfr_dom *d, const struct vfr_ra_cfg *ra)
{
	static const uint8_t all_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 }, all_nodes[16] = { 0xff, 2, [15] = 1 };
	uint8_t f[ETH_LEN + IP6_LEN + RA_MAX] = { 0 }, *icmp = f + ETH_LEN + IP6_LEN, *o = icmp + 16, src[16];
	const uint8_t *own = c->v->par.gateway_mac;
	uint16_t life = !ra->on ? 0 : ra->lifetime_s ? ra->lifetime_s : 1800;

	icmp[0] = RA;
	icmp[4] = 64;
	env_put16(icmp + 6, life);
	o[0] = OPT_SOURCE;
	o[1] = 1;
	memcpy(o + 2, own, 6);
	o += 8;
	o[0] = OPT_MTU;
	o[1] = 1;
	env_put32(o + 4, port->mtu);
	o += 8;
	o = put_prefixes(c, o, d);
	if (!unspecified(ra->dns)) {
		o[0] = OPT_RDNSS;
		o[1] = 3;
		env_put32(o + 4, life);
		memcpy(o + 8, ra->dns, 16);
		o += 24;
	}
	vfr_link_local(src, own);
	finish(f, all_mac, own, src, all_nodes, (uint32_t)(o - icmp));
	vfr_emit(c, port->id, f, (uint32_t)(o - f));
}

void vfr_ra_all(struct ctx *c)
{
	struct vfr *v = c->v;

	for (unsigned int slot = 1; slot < v->par.max_domains; slot++) {
		struct vfr_dom *d = rcu_get(v->dom[slot]);
		const struct vfr_port *port = d ? vfr_port_at(v, atomic_load(&d->port)) : NULL;

		if (port && rcu_get(d->cfg)->ra.on)
			send_ra(c, port, d, &rcu_get(d->cfg)->ra);
	}
}

static void tell(struct ctx *c, struct vfr_dom *d, const struct vfr_ra_cfg *ra)
{
	const struct vfr_port *port = vfr_port_at(c->v, atomic_load(&d->port));

	if (port)
		send_ra(c, port, d, ra);
}

void vfr_ra_withdraw(struct vfr *v, uint16_t slot, const uint8_t prefix[16])
{
	struct ctx c;

	vfr_enter_setter(&c, v, 0);
	struct vfr_dom *d = vfr_dom_at(v, slot);
	if (d && rcu_get(d->cfg)->ra.on) {
		atomic_store(&d->gone64, env_get64(prefix));
		atomic_store(&d->gone_left, GONE_TIMES);
		tell(&c, d, &rcu_get(d->cfg)->ra);
	}
	vfr_leave_setter(&c);
}

void vfr_ra_farewell(struct vfr *v, uint16_t domid, const struct vfr_ra_cfg *was)
{
	struct vfr_ra_cfg last = *was;
	struct ctx c;

	last.on = false;
	vfr_enter_setter(&c, v, 0);
	struct vfr_dom *d = vfr_dom_at(v, v->slot_of[domid]);
	if (d)
		tell(&c, d, &last);
	vfr_leave_setter(&c);
}

void vfr_ra_timer(struct ctx *c, uint64_t *next)
{
	struct vfr *v = c->v;

	if (c->now < v->ra_next) {
		note_deadline(next, v->ra_next);
		return;
	}
	v->ra_next = c->now + RA_PERIOD;
	vfr_ra_all(c);
}

/* --- from guests and from outside ------------------------------------------------------------------------------------- */

static bool owns(const struct ctx *c, const uint8_t *addr)
{
	const struct pfx6_entry *e = vfr_pfx6_find(rcu_get(c->v->pfx6), addr);

	return e && e->slot == c->in->slot && e->kind == ADDR_DEDICATED;
}

static int guest_asks(struct ctx *c, struct vfr_pkt *p, const uint8_t *target)
{
	uint8_t ours[16];

	vfr_link_local(ours, c->v->par.gateway_mac);
	if (link_local(target))
		return memcmp(target, ours, 16) ? VFR_CONSUMED : advertise(c, p, c->v->par.gateway_mac);
	if (owns(c, target))
		return VFR_CONSUMED;
	/* A probe for an address that nobody has finds nobody. */
	if (unspecified(p->head + p->l3 + IP6_SRC) && !vfr_pfx6_find(rcu_get(c->v->pfx6), target))
		return VFR_CONSUMED;
	return advertise(c, p, c->v->par.gateway_mac);
}

static int from_guest(struct ctx *c, struct vfr_pkt *p, uint8_t type, const uint8_t *lladdr)
{
	const uint8_t *src = p->head + p->l3 + IP6_SRC;
	struct vfr_dom *d = vfr_dom_at(c->v, c->in->slot);

	/* Its own addresses only, and its own MAC only. */
	if ((!unspecified(src) && !link_local(src) && !owns(c, src)) || (lladdr && !mac_equal(lladdr, c->in->mac))) {
		vfr_event(c, d, VFR_EV_SRC_ADDR, p, 0);
		return vfr_drop(c, p, VFR_DROP_ND_BAD);
	}
	if (type == NS)
		return guest_asks(c, p, p->head + p->l4 + ND_TARGET);
	if (type == RS && d && rcu_get(d->cfg)->ra.on && !c->trace)
		send_ra(c, c->in, d, &rcu_get(d->cfg)->ra);
	return type == RS || type == NA ? VFR_CONSUMED : vfr_drop(c, p, VFR_DROP_ND_BAD);
}

static int from_uplink(struct ctx *c, struct vfr_pkt *p, uint8_t type, const uint8_t *lladdr)
{
	const uint8_t *src = p->head + p->l3 + IP6_SRC, *target = p->head + p->l4 + ND_TARGET;
	const struct pfx6_table *t = rcu_get(c->v->pfx6);
	uint8_t ours[16];

	if (vfr_pfx6_find(t, src))
		return vfr_drop(c, p, VFR_DROP_ND_BAD);
	if (type == NA) {
		if (vfr_pfx6_find(t, target))
			return vfr_drop(c, p, VFR_DROP_ND_BAD);
		vfr_neigh_learn(c, p->in_port, target, 6, lladdr ? lladdr : p->head + 6, false);
		return VFR_CONSUMED;
	}
	if (type != NS)
		return VFR_CONSUMED;
	vfr_link_local(ours, c->in->mac);
	bool mine = vfr_pfx6_find(t, target) || !memcmp(target, ours, 16);
	if (lladdr && !unspecified(src))
		vfr_neigh_learn(c, p->in_port, src, 6, lladdr, mine);
	return mine ? advertise(c, p, c->in->mac) : VFR_CONSUMED;
}

/* RFC 4861 sections 6.1 and 7.1 but for the options: => it may be believed. */
static bool sound(const struct vfr_pkt *p, uint8_t type, uint32_t least)
{
	const uint8_t *ip = p->head + p->l3, *m = p->head + p->l4, *dst = ip + IP6_DST;
	uint32_t n = p->l3 + p->l3_len - p->l4;

	/* No fragment header, not even one that says "whole" (RFC 6980): the parser has left its place there. */
	if (p->quote || ip[IP6_HOPS] != 255 || p->icmp_code || n < least || p->l4 + n > p->head_len)
		return false;
	if (p->csum == VFR_CSUM_FULL && csum_fold(csum_add(csum_pseudo6(ip, IP_ICMP6, n), m, n)) != 0xffff)
		return false;
	if ((type == NS || type == NA) && m[ND_TARGET] == 0xff)
		return false;
	/* Nobody in particular is answered to all; a probe asks all that might have the address. */
	if (type == NA && dst[0] == 0xff && (m[4] & 0x40))
		return false;
	return type != NS || !unspecified(ip + IP6_SRC) || (env_get64(dst) == 0xff02ull << 48 && env_get64(dst + 8) >> 24 == 0x1ff);
}

int vfr_nd(struct ctx *c, struct vfr_pkt *p, bool *handled)
{
	uint8_t type = p->tcp_flags;
	uint32_t least = type == RS ? RS_OPTIONS : type == RA ? 16 : ND_OPTIONS;
	const uint8_t *lladdr;
	bool bad = false;

	if (type < RS || type > REDIRECT)
		return 0;
	*handled = true;
	if (!sound(p, type, least))
		return vfr_drop(c, p, VFR_DROP_ND_BAD);
	lladdr = find_option(p->head + p->l4 + least, p->head + p->l3 + p->l3_len, type == NA ? OPT_TARGET : OPT_SOURCE, &bad);
	/* Who has no address yet cannot be answered in person. */
	if (bad || (lladdr && (type == NS || type == RS) && unspecified(p->head + p->l3 + IP6_SRC)))
		return vfr_drop(c, p, VFR_DROP_ND_BAD);
	return c->in->kind == VFR_PORT_GUEST ? from_guest(c, p, type, lladdr) : from_uplink(c, p, type, lladdr);
}

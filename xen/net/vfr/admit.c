/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Admission: is the source the sender's own (outbound), and whose is the destination (inbound and hairpin)?
 *
 * Both questions are asked of the same owner tables: the owner of (address, protocol, port). For an ICMP error the port is
 * found in the packet that it quotes: outbound the quoted packet was sent to us, inbound it was sent by us.
 */
#include <vfr/priv.h>

/* --- protocols without ports ------------------------------------------------------------------------------------------ */

static uint16_t dmz_owner(const struct vfr_shared *s, uint8_t proto)
{
	return atomic_load_explicit(&s->proto[proto], memory_order_relaxed);
}

static uint16_t spi_owner(const struct vfr_shared *s, unsigned int cell)
{
	return atomic_load_explicit(&s->spi[cell].slot, memory_order_relaxed);
}

/* Inbound: an SPI is chosen by who receives it (RFC 4303 section 2.1). */
static uint16_t esp_receiver(const struct vfr_shared *s, uint32_t spi)
{
	for (unsigned int i = 0; i < SPI_MAX; i++)
		if (atomic_load_explicit(&s->spi[i].spi, memory_order_relaxed) == spi && spi_owner(s, i))
			return spi_owner(s, i);
	return dmz_owner(s, IP_ESP);
}

/* Outbound the SPI is the peer's, so it tells nothing: who has any of the address's may send. */
static bool esp_sender(const struct vfr_shared *s, uint16_t slot)
{
	for (unsigned int i = 0; i < SPI_MAX; i++)
		if (spi_owner(s, i) == slot)
			return true;
	return dmz_owner(s, IP_ESP) == slot;
}

/* => whose an outbound ESP packet was that somebody quotes: if one domain alone speaks ESP from this address. */
static uint16_t esp_quoted(const struct vfr_shared *s)
{
	uint16_t sole = dmz_owner(s, IP_ESP);

	for (unsigned int i = 0; i < SPI_MAX; i++) {
		uint16_t slot = spi_owner(s, i);

		if (slot && sole && slot != sole)
			return SLOT_NONE;
		sole = slot ? slot : sole;
	}
	return sole;
}

/* --- outbound --------------------------------------------------------------------------------------------------------- */

static int refuse(struct ctx *c, struct vfr_pkt *p, struct way *w, enum vfr_drop reason)
{
	vfr_event(c, w->src, reason == VFR_DROP_SRC_ADDR ? VFR_EV_SRC_ADDR : VFR_EV_SRC_PORT, p, 0);
	STEP(c, "source", "not the sender's own");
	if (reason != VFR_DROP_SRC_ADDR)
		vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_ADMIN, 0);
	return vfr_drop(c, p, reason);
}

/* => owner of what an outbound packet claims as its own end, of a shared address. */
static uint16_t source_owner(const struct vfr_shared *s, const struct vfr_pkt *p, const struct vfr_dom *d, enum vfr_drop *why)
{
	struct quote q;
	int proto;

	if (p->flags & VFR_PF_ICMPERR) {
		*why = VFR_DROP_ICMP_QUOTE;
		if (!vfr_parse_quote(p, &q) || q.dst != p->src)
			return SLOT_NONE;
		proto = vfr_slice_proto(q.proto);
		if (proto >= 0)
			return q.ports ? vfr_owner(s, (unsigned int)proto, q.dport) : SLOT_NONE;
		return q.proto == IP_ESP ? esp_receiver(s, env_get32(p->head + q.l4)) : dmz_owner(s, q.proto);
	}
	proto = vfr_slice_proto(p->proto);
	*why = VFR_DROP_SRC_PROTO;
	if (proto < 0)
		return p->proto == IP_ESP && esp_sender(s, d->slot) ? d->slot : dmz_owner(s, p->proto);
	if (!(p->flags & VFR_PF_PORTS))
		return SLOT_NONE;
	*why = VFR_DROP_SRC_PORT;
	return vfr_owner(s, (unsigned int)proto, p->sport);
}

/* Egress denials look at the destination port: a first fragment has it, and later ones follow the first. */
static int check_egress(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	const struct vfr_domain_cfg *cfg = &rcu_get(w->src->cfg)->c;

	for (unsigned int i = 0; i < cfg->egress_denies; i++) {
		const struct vfr_egress_deny *e = &cfg->egress_deny[i];

		if (e->proto != p->proto || p->dport < e->first || p->dport > e->last || !(p->flags & VFR_PF_PORTS))
			continue;
		STEP(c, "egress", "port %u is denied", p->dport);
		vfr_event(c, w->src, VFR_EV_EGRESS_DENIED, p, 0);
		vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_ADMIN, 0);
		return vfr_drop(c, p, VFR_DROP_EGRESS_DENIED);
	}
	return p->flags & VFR_PF_NEWFLOW ? vfr_flow_limit(c, p, w) : 0;
}

int vfr_flow_limit(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	const struct vfr_domain_cfg *cfg = &rcu_get(w->src->cfg)->c;

	if (!cfg->new_flows_per_s || c->trace)
		return 0;
	env_lock(&w->src->lock);
	bool ok = vfr_bucket_take(&w->src->flow_bucket, c->now, cfg->new_flows_per_s, cfg->new_flows_burst);
	env_unlock(&w->src->lock);
	if (ok)
		return 0;
	vfr_event(c, w->src, VFR_EV_FLOW_LIMIT, p, 0);
	return vfr_drop(c, p, VFR_DROP_FLOW_LIMIT);
}

static int source4(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	const struct addr_entry *e = vfr_addr_find(c->addrs, p->src);
	enum vfr_drop why = VFR_DROP_SRC_ADDR;
	uint16_t slot;

	if (never_source(p->src) || !e)
		return refuse(c, p, w, VFR_DROP_SRC_ADDR);
	if (e->kind == ADDR_SHARED) {
		/* The table cannot know a later fragment's port; its datagram does (frag.c). */
		if (p->flags & VFR_PF_LATER)
			return 0;
		/* Who joins a group says so to the link; the destination stage ends it. */
		if (p->proto == IP_IGMP && p->dst >> 28 == 14)
			return 0;
		slot = source_owner(e->shared, p, w->src, &why);
	} else {
		slot = e->kind == ADDR_SELF ? SLOT_NONE : e->slot;
		w->internal = e->kind == ADDR_INTERNAL;
	}
	if (slot != w->src->slot)
		return refuse(c, p, w, why);
	STEP_OF(c, w->src->domid, VFR_NOPORT, "source", "$dom owns it");
	return 0;
}

/*
 * What never leaves the link: a guest speaks to the router, or joins groups, from its link-local address or before it has any. It is the
 * only one on its link, and its MAC has been looked at. The destination stage answers echo and drops the rest.
 */
static bool within_link(const uint8_t *src, const uint8_t *dst)
{
	bool group = dst[0] == 0xff && (dst[1] & 15) <= 2;

	return (link_local6(src) && (group || link_local6(dst))) || (group && !(env_get64(src) | env_get64(src + 8)));
}

static int source6(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	const uint8_t *src = p->head + p->l3 + IP6_SRC;
	const struct pfx6_entry *e = vfr_pfx6_find(rcu_get(c->v->pfx6), src);
	struct quote q;

	if (!e && within_link(src, p->head + p->l3 + IP6_DST))
		return 0;
	if (!e || e->slot != w->src->slot)
		return refuse(c, p, w, VFR_DROP_SRC_ADDR);
	if ((p->flags & VFR_PF_ICMPERR) && (!vfr_parse_quote(p, &q) || memcmp(q.dst6, src, 16)))
		return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
	STEP_OF(c, w->src->domid, VFR_NOPORT, "source", "$dom owns the prefix");
	return 0;
}

int vfr_admit_source(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	int r;

	if (!w->src)
		return vfr_drop(c, p, VFR_DROP_DETACHED);
	r = p->flags & VFR_PF_IPV4 ? source4(c, p, w) : source6(c, p, w);
	if (r || (p->flags & VFR_PF_LATER))
		return r;
	return check_egress(c, p, w);
}

/* --- destination ------------------------------------------------------------------------------------------------------ */

static int unowned(struct ctx *c, struct vfr_pkt *p, enum vfr_drop reason)
{
	STEP(c, "owner", "nobody owns the port");
	vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_PORT, 0);
	return vfr_drop(c, p, reason);
}

static int shared_error(struct ctx *c, struct vfr_pkt *p, const struct vfr_shared *s, uint16_t *slot)
{
	struct quote q;

	/* RFC 5508 section 4: the quoted packet must have come from where the error goes to. */
	if (!vfr_parse_quote(p, &q) || q.src != p->dst)
		return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
	int proto = vfr_slice_proto(q.proto);
	if (proto >= 0)
		*slot = q.ports ? vfr_owner(s, (unsigned int)proto, q.sport) : SLOT_NONE;
	else
		*slot = q.proto == IP_ESP ? esp_quoted(s) : dmz_owner(s, q.proto);
	return *slot ? 0 : vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
}

static int shared_dest(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct vfr_shared *s, uint16_t *slot)
{
	int proto;

	if (p->flags & VFR_PF_ICMPERR)
		return shared_error(c, p, s, slot);
	proto = vfr_slice_proto(p->proto);
	if (proto < 0) {
		*slot = p->proto == IP_ESP ? esp_receiver(s, env_get32(p->head + p->l4)) : dmz_owner(s, p->proto);
		return *slot ? 0 : vfr_drop(c, p, VFR_DROP_PROTO_UNOWNED);
	}
	if (p->flags & VFR_PF_ECHOREQ)
		return vfr_icmp_echo(c, p, w);
	if (!(p->flags & VFR_PF_PORTS))
		return vfr_drop(c, p, p->proto == IP_ICMP ? VFR_DROP_ICMP_TYPE : VFR_DROP_BAD_L4);
	*slot = vfr_owner(s, (unsigned int)proto, p->dport);
	return *slot ? 0 : unowned(c, p, VFR_DROP_PORT_UNOWNED);
}

/* => what the router does with a packet for itself. */
static int to_self(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	if (p->flags & VFR_PF_ECHOREQ)
		return vfr_icmp_echo(c, p, w);
	STEP(c, "owner", "the router itself");
	vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_PORT, 0);
	return vfr_drop(c, p, VFR_DROP_SELF);
}

static int owner_found(struct ctx *c, struct vfr_pkt *p, struct way *w, uint16_t slot)
{
	w->dst = vfr_dom_at(c->v, slot);
	if (!w->dst || atomic_load_explicit(&w->dst->port, memory_order_relaxed) == VFR_NOPORT) {
		STEP_OF(c, w->dst ? w->dst->domid : VFR_NODOM, VFR_NOPORT, "owner", "$dom is not attached");
		vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_HOST, 0);
		return vfr_drop(c, p, VFR_DROP_OWNER_DOWN);
	}
	STEP_OF(c, w->dst->domid, VFR_NOPORT, "owner", "$dom");
	return 0;
}

bool vfr_gateway(const struct ctx *c, const struct vfr_dom *d, uint32_t addr)
{
	const struct vfr_dhcp_cfg *cfg = &rcu_get(d->cfg)->dhcp;
	const struct addr_entry *own = vfr_addr_find(c->addrs, cfg->addr);

	return cfg->lease_s && addr == cfg->router && own && own->kind == ADDR_INTERNAL && !vfr_addr_find(c->addrs, addr);
}

static int outside4(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	if (c->in->kind == VFR_PORT_UPLINK)
		return vfr_drop(c, p, VFR_DROP_ADDR_UNKNOWN);
	if (p->dst == UINT32_MAX || p->dst >> 28 == 14)
		return rcu_get(w->src->cfg)->c.allow_multicast && p->dst >> 28 == 14 ? 0 : vfr_drop(c, p, VFR_DROP_BROADCAST);
	if (never_source(p->dst))
		return vfr_drop(c, p, VFR_DROP_MARTIAN);
	STEP(c, "owner", "outside");
	return 0;
}

static int dest4(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	const struct addr_entry *e = vfr_addr_find(c->addrs, p->dst);
	struct quote q;
	uint16_t slot = SLOT_NONE;
	int r = 0;

	if (c->in->kind == VFR_PORT_UPLINK) {
		const struct addr_entry *s = vfr_addr_find(c->addrs, p->src);

		/* Nothing from outside may carry a source that lives inside. */
		if (never_source(p->src) || s)
			return vfr_drop(c, p, VFR_DROP_MARTIAN);
	}
	if (p->head[0] & 1 && c->in->kind == VFR_PORT_UPLINK)
		return vfr_drop(c, p, VFR_DROP_BROADCAST);
	if (!e)
		return w->internal && vfr_gateway(c, w->src, p->dst) ? to_self(c, p, w) : outside4(c, p, w);
	switch (e->kind) {
	case ADDR_SHARED:
		r = shared_dest(c, p, w, e->shared, &slot);
		break;
	case ADDR_SELF:
		return to_self(c, p, w);
	case ADDR_INTERNAL:
		if (c->in->kind == VFR_PORT_UPLINK)
			return vfr_drop(c, p, VFR_DROP_ADDR_UNKNOWN);
		slot = e->slot;
		break;
	default:
		if ((p->flags & VFR_PF_ICMPERR) && (!vfr_parse_quote(p, &q) || q.src != p->dst))
			return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
		slot = e->slot;
		break;
	}
	return r ? r : owner_found(c, p, w, slot);
}

static int dest6(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	const struct pfx6_table *t = rcu_get(c->v->pfx6);
	const uint8_t *ip = p->head + p->l3, *dst = ip + IP6_DST;
	const struct pfx6_entry *e = vfr_pfx6_find(t, dst);
	bool uplink = c->in->kind == VFR_PORT_UPLINK;
	struct quote q;

	if (uplink && (ip[IP6_SRC] == 0xff || never6(ip + IP6_SRC) || vfr_pfx6_find(t, ip + IP6_SRC)))
		return vfr_drop(c, p, VFR_DROP_MARTIAN);
	if (dst[0] == 0xff || (p->head[0] & 1))
		return vfr_drop(c, p, VFR_DROP_BROADCAST);
	if (e && e->kind == ADDR_SELF)
		return to_self(c, p, w);
	if (link_local6(dst))
		return p->flags & VFR_PF_ECHOREQ ? vfr_icmp_echo(c, p, w) : vfr_drop(c, p, VFR_DROP_MARTIAN);
	/* Whose source is the link's own speaks to the link only (RFC 4291 section 2.5.6). */
	if (never6(dst) || link_local6(ip + IP6_SRC))
		return vfr_drop(c, p, VFR_DROP_MARTIAN);
	if (!e)
		return uplink ? vfr_drop(c, p, VFR_DROP_ADDR_UNKNOWN) : 0;
	if ((p->flags & VFR_PF_ICMPERR) && (!vfr_parse_quote(p, &q) || memcmp(q.src6, dst, 16)))
		return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
	return owner_found(c, p, w, e->slot);
}

int vfr_admit_dest(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	return p->flags & VFR_PF_IPV4 ? dest4(c, p, w) : dest6(c, p, w);
}

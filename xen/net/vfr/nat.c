/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NAT44 for domains with private addresses, out of their own slice: whoever asks later which domain had a public port needs
 * the slice only, no log of flows.
 *
 * Overview: a mapping is (internal address, port, protocol) <-> port of the slice. It does not depend on the peer
 * (endpoint-independent mapping and filtering, RFC 4787 REQ-1, REQ-8; a domain that wants stricter filtering has rules with
 * state), is made by outbound packets only and refreshed by them (REQ-6). The internal port is kept if the slice has it and it is
 * free (port preservation), else the search starts at a random port of the slice (RFC 6056), parity not being kept.
 * Hairpinning (REQ-9): a packet to a mapped public port is translated both ways, so the peer sees the public source.
 *
 * ICMP errors are translated with the packet that they quote (RFC 5508 section 4): checksums inside the quote too.
 * What keeps a mapping alive is natlife.c, what is written into packets natwrite.c.
 * Fragments: the first one's translation is remembered (frag.c), the others only change addresses.
 *
 * Synchronization: nat.lock over the table; packets that need no translation never take it.
 */
#include <vfr/priv.h>

int vfr_nat_init(struct vfr *v)
{
	struct nat_table *t = &v->nat;
	uint32_t cells = 64;

	t->max = v->par.max_nat;
	while (cells < t->max / 2)
		cells *= 2;
	t->mask = cells - 1;
	t->by_int = env_alloc(cells * sizeof(*t->by_int));
	t->by_ext = env_alloc(cells * sizeof(*t->by_ext));
	return t->by_int && t->by_ext ? 0 : -ENOMEM;
}

/* --- the table; nat.lock held ----------------------------------------------------------------------------------------- */

static uint32_t cell(const struct vfr *v, uint32_t addr, uint16_t port, uint8_t proto)
{
	uint64_t h = ((uint64_t)addr << 32 | (uint32_t)port << 8 | proto) ^ v->key[1];

	h *= 0x9e3779b97f4a7c15ull;
	return (uint32_t)(h >> 32) & v->nat.mask;
}

static struct nat_map *by_int(struct vfr *v, uint32_t addr, uint16_t port, uint8_t proto)
{
	struct nat_map *m = v->nat.by_int[cell(v, addr, port, proto)];

	while (m && (m->internal != addr || m->iport != port || m->proto != proto))
		m = m->int_next;
	return m;
}

static struct nat_map *by_ext(struct vfr *v, uint32_t addr, uint16_t port, uint8_t proto)
{
	struct nat_map *m = v->nat.by_ext[cell(v, addr, port, proto)];

	while (m && (m->external != addr || m->eport != port || m->proto != proto))
		m = m->ext_next;
	return m;
}

static void forget(struct vfr *v, struct nat_map *m)
{
	struct nat_map **at = &v->nat.by_int[cell(v, m->internal, m->iport, m->proto)];
	struct vfr_dom *d = rcu_get(v->dom[m->slot]);

	while (*at != m)
		at = &(*at)->int_next;
	*at = m->int_next;
	at = &v->nat.by_ext[cell(v, m->external, m->eport, m->proto)];
	while (*at != m)
		at = &(*at)->ext_next;
	*at = m->ext_next;
	v->nat.used--;
	if (d)
		atomic_fetch_sub(&d->nat, 1);
	env_free(m, sizeof(*m));
}

/* => the mapping is of use: the domain that made it has both of its ends still, and has not been silent too long. */
static bool stands(const struct ctx *c, const struct nat_map *m, const struct vfr_shared *s, uint16_t slot)
{
	if (!m || m->slot != slot || m->external != s->addr || m->deadline <= c->now || vfr_owner(s, m->proto, m->eport) != slot)
		return false;
	const struct addr_entry *e = vfr_addr_find(c->addrs, m->internal);
	return e && e->kind == ADDR_INTERNAL && e->slot == slot;
}

static bool port_free(struct ctx *c, const struct vfr_shared *s, uint16_t slot, uint8_t proto, uint16_t port)
{
	if (vfr_owner(s, proto, port) != slot)
		return false;
	struct nat_map *m = by_ext(c->v, s->addr, port, proto);
	if (m && stands(c, m, s, slot))
		return false;
	/* The timer has not come by yet, or the port has been another domain's. */
	if (m)
		forget(c->v, m);
	return true;
}

/* => a port of the slice, 0 (and -1 for none): the same one if it can be, else from a random place on. */
static int32_t choose_port(struct ctx *c, const struct vfr_shared *s, uint16_t slot, uint8_t proto, uint16_t want)
{
	if (want && port_free(c, s, slot, proto, want))
		return want;
	uint16_t start = (uint16_t)vfr_random(c);
	for (uint32_t i = 0; i < 65536; i++) {
		uint16_t port = (uint16_t)(start + i);

		if (port && port_free(c, s, slot, proto, port))
			return port;
	}
	return -1;
}

/* => the port that a new mapping gets; -1: there can be none. */
static int32_t next_port(struct ctx *c, const struct vfr_dom *d, const struct vfr_shared *s, uint16_t port, uint8_t proto)
{
	const struct nat_table *t = &c->v->nat;
	uint32_t quota = rcu_get(d->cfg)->c.max_nat;

	if (t->used >= t->max || (quota && atomic_load(&d->nat) >= quota))
		return -1;
	return choose_port(c, s, d->slot, proto, port);
}

static struct nat_map *create(struct ctx *c, struct vfr_dom *d, const struct vfr_shared *s, uint32_t addr, uint16_t port, uint8_t proto)
{
	struct nat_table *t = &c->v->nat;
	int32_t eport = next_port(c, d, s, port, proto);
	struct nat_map *m = eport < 0 ? NULL : env_alloc(sizeof(*m));
	if (!m)
		return NULL;
	*m = (struct nat_map){ .internal = addr, .external = s->addr, .iport = port, .eport = (uint16_t)eport,
		.slot = d->slot, .proto = proto };
	uint32_t i = cell(c->v, addr, port, proto), e = cell(c->v, s->addr, m->eport, proto);
	m->int_next = t->by_int[i];
	t->by_int[i] = m;
	m->ext_next = t->by_ext[e];
	t->by_ext[e] = m;
	t->used++;
	atomic_fetch_add(&d->nat, 1);
	return m;
}

/* --- the stages ------------------------------------------------------------------------------------------------------- */

static bool translates(const struct vfr_dom *d, uint32_t *addr)
{
	*addr = d ? rcu_get(d->cfg)->c.nat_addr : 0;
	return *addr;
}

static const struct vfr_shared *slice_of(struct ctx *c, uint32_t addr)
{
	const struct addr_entry *e = vfr_addr_find(c->addrs, addr);

	return e && e->kind == ADDR_SHARED ? e->shared : NULL;
}

static bool stays_inside(struct ctx *c, const struct way *w, uint32_t dst)
{
	const struct addr_entry *e = vfr_addr_find(c->addrs, dst);

	return e ? e->kind == ADDR_INTERNAL || e->kind == ADDR_SELF : vfr_gateway(c, w->src, dst);
}

/* The router answers these itself, so they never become public. */
static bool for_router(struct ctx *c, const struct vfr_pkt *p)
{
	return (p->flags & VFR_PF_ECHOREQ) && slice_of(c, p->dst);
}

/* An error that an internal guest sends about a packet it got: the quote's destination becomes public again. */
static int out_error(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct vfr_shared *s)
{
	struct quote q;
	uint32_t addr = 0;
	uint16_t port = 0;

	if (!vfr_parse_quote(p, &q) || q.dst != p->src || !q.ports)
		return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
	env_lock(&c->v->nat.lock);
	struct nat_map *m = by_int(c->v, q.dst, q.proto == IP_ICMP ? q.sport : q.dport, (uint8_t)vfr_slice_proto(q.proto));
	if (stands(c, m, s, w->src->slot)) {
		addr = m->external;
		port = m->eport;
	}
	env_unlock(&c->v->nat.lock);
	if (!addr)
		return vfr_drop(c, p, VFR_DROP_NAT_UNMAPPED);
	vfr_nat_quote(p, &q, false, addr, port);
	vfr_nat_addresses(p, addr, 0);
	return 0;
}

int vfr_nat_out(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	uint32_t public_addr;
	int32_t port = -1;

	if (!w->internal || stays_inside(c, w, p->dst) || for_router(c, p))
		return 0;
	const struct vfr_shared *s = translates(w->src, &public_addr) ? slice_of(c, public_addr) : NULL;
	int proto = vfr_slice_proto(p->proto);
	if (!s || proto < 0)
		return vfr_drop(c, p, VFR_DROP_NAT_UNSUITED);
	if (p->flags & VFR_PF_ICMPERR)
		return out_error(c, p, w, s);
	if (!(p->flags & VFR_PF_PORTS) || (p->flags & VFR_PF_ECHOREP) || p->proto == IP_SCTP)
		return vfr_drop(c, p, VFR_DROP_NAT_UNSUITED);
	env_lock(&c->v->nat.lock);
	struct nat_map *m = by_int(c->v, p->src, p->sport, (uint8_t)proto);
	if (m && !stands(c, m, s, w->src->slot)) {
		if (!c->trace)
			forget(c->v, m);
		m = NULL;
	}
	if (!m && !c->trace)
		m = create(c, w->src, s, p->src, p->sport, (uint8_t)proto);
	if (m) {
		port = m->eport;
		if (!c->trace)
			vfr_nat_keep(m, p, true, c->now);
	} else if (c->trace) {
		port = next_port(c, w->src, s, p->sport, (uint8_t)proto);
	}
	env_unlock(&c->v->nat.lock);
	if (port < 0) {
		STEP(c, "nat", "no port is left");
		vfr_event(c, w->src, VFR_EV_NAT_EXHAUSTED, p, 0);
		vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_ADMIN, 0);
		return vfr_drop(c, p, VFR_DROP_NAT_FULL);
	}
	STEP(c, "nat", "source becomes port %d%s", port, m ? "" : " (a new mapping)");
	w->new_src = s->addr;
	vfr_nat_translate(p, true, s->addr, (uint16_t)port);
	return 0;
}

/* An error from outside about a packet that was translated: the quote's source becomes internal again. */
static int in_error(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct vfr_shared *s)
{
	struct quote q;
	uint32_t addr = 0;
	uint16_t port = 0;

	if (!vfr_parse_quote(p, &q) || !q.ports)
		return vfr_drop(c, p, VFR_DROP_ICMP_QUOTE);
	env_lock(&c->v->nat.lock);
	struct nat_map *m = by_ext(c->v, q.src, q.sport, (uint8_t)vfr_slice_proto(q.proto));
	if (stands(c, m, s, w->dst->slot)) {
		addr = m->internal;
		port = m->iport;
	}
	env_unlock(&c->v->nat.lock);
	if (!addr)
		return vfr_drop(c, p, VFR_DROP_NAT_UNMAPPED);
	vfr_nat_quote(p, &q, true, addr, port);
	vfr_nat_addresses(p, 0, addr);
	w->new_dst = addr;
	return 0;
}

int vfr_nat_in(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	uint32_t public_addr, addr = 0;
	uint16_t port = 0;
	int proto;

	if (!w->dst || !(p->flags & VFR_PF_IPV4) || !translates(w->dst, &public_addr) || p->dst != public_addr)
		return 0;
	const struct vfr_shared *s = slice_of(c, public_addr);
	if (!s)
		return 0;
	proto = vfr_slice_proto(p->proto);
	if (p->flags & VFR_PF_ICMPERR)
		return in_error(c, p, w, s);
	if (proto < 0 || !(p->flags & VFR_PF_PORTS))
		return vfr_drop(c, p, VFR_DROP_NAT_UNSUITED);
	env_lock(&c->v->nat.lock);
	struct nat_map *m = by_ext(c->v, p->dst, p->dport, (uint8_t)proto);
	if (stands(c, m, s, w->dst->slot)) {
		addr = m->internal;
		port = m->iport;
		if (!c->trace)
			vfr_nat_keep(m, p, false, c->now);
	}
	env_unlock(&c->v->nat.lock);
	if (!addr)
		return vfr_drop(c, p, VFR_DROP_NAT_UNMAPPED);
	STEP(c, "nat", "destination becomes port %u", port);
	w->new_dst = addr;
	vfr_nat_translate(p, false, addr, port);
	return 0;
}

/* --- ageing and looking ----------------------------------------------------------------------------------------------- */

/* slot 0: what is over by `now`, in a sixteenth of the cells at each call; else all of the domain. */
static void sweep(struct vfr *v, uint64_t now, uint16_t slot, uint32_t cells)
{
	struct nat_table *t = &v->nat;

	for (uint32_t n = 0; n < cells; n++) {
		env_lock(&t->lock);
		uint32_t at = slot ? n : t->sweep++ & t->mask;
		for (struct nat_map *m = t->by_int[at], *next; m; m = next) {
			next = m->int_next;
			if (slot ? m->slot == slot : m->deadline <= now)
				forget(v, m);
		}
		env_unlock(&t->lock);
	}
}

void vfr_nat_age(struct ctx *c, uint64_t *next)
{
	if (!c->v->nat.used)
		return;
	sweep(c->v, c->now, SLOT_NONE, c->v->nat.mask / 16 + 1);
	note_deadline(next, c->now + SEC);
}

void vfr_nat_drop_dom(struct vfr *v, uint16_t slot)
{
	if (slot && v->nat.used)
		sweep(v, 0, slot, v->nat.mask + 1);
}

void vfr_nat_destroy(struct vfr *v)
{
	struct nat_table *t = &v->nat;

	if (t->used)
		sweep(v, UINT64_MAX, SLOT_NONE, t->mask + 1);
	env_free(t->by_int, (t->mask + 1ull) * sizeof(*t->by_int));
	env_free(t->by_ext, (t->mask + 1ull) * sizeof(*t->by_ext));
}

bool vfr_nat_next(struct vfr *v, uint64_t *cursor, struct vfr_nat_info *out)
{
	struct nat_table *t = &v->nat;

	env_lock(&t->lock);
	for (uint32_t i = (uint32_t)(*cursor >> 32), skip = (uint32_t)*cursor; i <= t->mask; i++, skip = 0) {
		struct nat_map *m = t->by_int[i];
		uint32_t seen = 0;

		for (; m && seen < skip; m = m->int_next)
			seen++;
		if (!m)
			continue;
		struct vfr_dom *d = vfr_dom_at(v, m->slot);
		*out = (struct vfr_nat_info){ .internal = m->internal, .external = m->external, .iport = m->iport, .eport = m->eport,
					      .domid = d ? d->domid : VFR_NODOM, .proto = (uint8_t)(1u << m->proto) };
		*cursor = (uint64_t)i << 32 | (seen + 1);
		env_unlock(&t->lock);
		return true;
	}
	env_unlock(&t->lock);
	return false;
}

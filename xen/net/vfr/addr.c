/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses: whose each IPv4 address and IPv6 prefix is. Both tables are immutable open-addressed hashes; a change builds a new
 * one. They are small and change rarely, so a copy costs less than a cleverer structure would.
 */
#include <vfr/priv.h>

/* --- IPv4 ------------------------------------------------------------------------------------------------------------- */

static size_t addrs_size(uint32_t cells)
{
	return sizeof(struct addr_table) + cells * sizeof(struct addr_entry);
}

static struct addr_table *make_addrs(uint32_t entries)
{
	uint32_t cells = 16;

	while (cells < entries * 2)
		cells *= 2;
	struct addr_table *t = env_alloc(addrs_size(cells));
	if (t)
		t->mask = cells - 1;
	return t;
}

static void insert(struct addr_table *t, const struct addr_entry *e)
{
	uint32_t i = addr_hash(e->addr) & t->mask;

	while (t->e[i].kind != ADDR_NONE)
		i = (i + 1) & t->mask;
	t->e[i] = *e;
	t->used++;
}

static void publish(struct vfr *v, struct addr_table *t)
{
	struct addr_table *old = rcu_get(v->addrs);

	rcu_set(v->addrs, t);
	vfr_retire(v, &old->rcu, addrs_size(old->mask + 1), NULL);
}

/* => the table again without `addr` (if `leave`) or without the entries of `slot`, and with `add`. */
static int rebuild(struct vfr *v, bool leave, uint32_t addr, uint16_t slot, const struct addr_entry *add)
{
	const struct addr_table *old = rcu_get(v->addrs);
	struct addr_table *t = make_addrs(old->used + 1);

	if (!t)
		return -ENOMEM;
	for (uint32_t i = 0; i <= old->mask; i++) {
		const struct addr_entry *e = &old->e[i];

		if (e->kind == ADDR_NONE || (leave && e->addr == addr) || (slot && e->slot == slot))
			continue;
		insert(t, e);
	}
	if (add)
		insert(t, add);
	publish(v, t);
	return 0;
}

static int add_entry(struct vfr *v, const struct addr_entry *e, uint16_t *owner)
{
	const struct addr_entry *there = vfr_addr_find(rcu_get(v->addrs), e->addr);

	if (there) {
		struct vfr_dom *d = vfr_dom_at(v, there->slot);

		if (owner)
			*owner = d ? d->domid : VFR_NODOM;
		return there->kind == e->kind && there->slot == e->slot ? -EALREADY : -EEXIST;
	}
	return rebuild(v, false, 0, SLOT_NONE, e);
}

static int add_addr(struct vfr *v, uint32_t addr, enum addr_kind kind, uint16_t domid, uint16_t *owner)
{
	struct addr_entry e = { .addr = addr, .kind = (uint8_t)kind };

	if (!addr || addr >> 28 >= 14 || addr >> 24 == 127 || (kind != ADDR_SELF && domid >= VFR_GLOBAL))
		return -EINVAL;
	env_lock(&v->config_lock);
	int r = -ENOMEM;
	struct vfr_dom *d = kind == ADDR_SELF ? vfr_dom_at(v, 0) : vfr_dom_get(v, domid);
	if (kind == ADDR_SELF || d) {
		e.slot = kind == ADDR_SELF ? SLOT_NONE : d->slot;
		r = add_entry(v, &e, owner);
	}
	env_unlock(&v->config_lock);
	vfr_reclaim(v);
	return r == -EALREADY ? 0 : r;
}

int vfr_dedicated_add(struct vfr *v, uint32_t addr, uint16_t domid, uint16_t *owner)
{
	return add_addr(v, addr, ADDR_DEDICATED, domid, owner);
}

int vfr_internal_add(struct vfr *v, uint32_t addr, uint16_t domid, uint16_t *owner)
{
	return add_addr(v, addr, ADDR_INTERNAL, domid, owner);
}

int vfr_self_add(struct vfr *v, uint32_t addr)
{
	return add_addr(v, addr, ADDR_SELF, VFR_NODOM, NULL);
}

int vfr_addr_del(struct vfr *v, uint32_t addr)
{
	env_lock(&v->config_lock);
	const struct addr_entry *e = vfr_addr_find(rcu_get(v->addrs), addr);
	int r = e && e->kind != ADDR_SHARED ? rebuild(v, true, addr, SLOT_NONE, NULL) : -ENOENT;
	env_unlock(&v->config_lock);
	vfr_reclaim(v);
	return r;
}

int vfr_shared_add(struct vfr *v, uint32_t addr)
{
	if (!addr || addr >> 28 >= 14 || addr >> 24 == 127)
		return -EINVAL;
	struct vfr_shared *s = env_alloc(sizeof(*s));
	struct addr_entry e = { .addr = addr, .kind = ADDR_SHARED, .shared = s };

	if (!s)
		return -ENOMEM;
	s->addr = addr;
	env_lock(&v->config_lock);
	int r = add_entry(v, &e, NULL);
	env_unlock(&v->config_lock);
	if (r)
		env_free(s, sizeof(*s));
	vfr_reclaim(v);
	return r == -EALREADY ? 0 : r;
}

int vfr_shared_del(struct vfr *v, uint32_t addr)
{
	env_lock(&v->config_lock);
	const struct addr_entry *e = vfr_addr_find(rcu_get(v->addrs), addr);
	struct vfr_shared *s = e && e->kind == ADDR_SHARED ? e->shared : NULL;
	int r = !s ? -ENOENT : s->in_use ? -EBUSY : rebuild(v, true, addr, SLOT_NONE, NULL);
	if (!r)
		vfr_retire(v, &s->rcu, sizeof(*s), vfr_shared_gone);
	env_unlock(&v->config_lock);
	vfr_reclaim(v);
	return r;
}

uint32_t vfr_addr_first_shared(const struct addr_table *t)
{
	uint32_t lowest = 0;

	for (uint32_t i = 0; i <= t->mask; i++)
		if (t->e[i].kind == ADDR_SHARED && (!lowest || t->e[i].addr < lowest))
			lowest = t->e[i].addr;
	return lowest;
}

/* --- IPv6 ------------------------------------------------------------------------------------------------------------- */

static size_t pfx6_size(uint32_t cells)
{
	return sizeof(struct pfx6_table) + cells * sizeof(struct pfx6_entry);
}

static uint32_t pfx6_hash(const uint8_t *addr, uint8_t plen)
{
	uint64_t h = env_get64(addr) * 0x9e3779b97f4a7c15ull;

	if (plen == 128)
		h = (h ^ env_get64(addr + 8)) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(h >> 32);
}

static const struct pfx6_entry *find6(const struct pfx6_table *t, const uint8_t *addr, uint8_t plen)
{
	for (uint32_t i = pfx6_hash(addr, plen) & t->mask; t->e[i].plen; i = (i + 1) & t->mask)
		if (t->e[i].plen == plen && env_get64(t->e[i].addr) == env_get64(addr) &&
			(plen == 64 || env_get64(t->e[i].addr + 8) == env_get64(addr + 8)))
			return &t->e[i];
	return NULL;
}

const struct pfx6_entry *vfr_pfx6_find(const struct pfx6_table *t, const uint8_t addr[16])
{
	const struct pfx6_entry *e = t->have128 ? find6(t, addr, 128) : NULL;

	return e || !t->have64 ? e : find6(t, addr, 64);
}

static struct pfx6_table *make_pfx6(uint32_t entries)
{
	uint32_t cells = 16;

	while (cells < entries * 2)
		cells *= 2;
	struct pfx6_table *t = env_alloc(pfx6_size(cells));
	if (t)
		t->mask = cells - 1;
	return t;
}

static void insert6(struct pfx6_table *t, const struct pfx6_entry *e)
{
	uint32_t i = pfx6_hash(e->addr, e->plen) & t->mask;

	while (t->e[i].plen)
		i = (i + 1) & t->mask;
	t->e[i] = *e;
	t->used++;
	t->have64 |= e->plen == 64;
	t->have128 |= e->plen == 128;
}

static int rebuild6(struct vfr *v, const struct pfx6_entry *leave, uint16_t slot, const struct pfx6_entry *add)
{
	struct pfx6_table *old = rcu_get(v->pfx6);
	struct pfx6_table *t = make_pfx6(old->used + 1);

	if (!t)
		return -ENOMEM;
	for (uint32_t i = 0; i <= old->mask; i++) {
		const struct pfx6_entry *e = &old->e[i];

		if (e->plen && e != leave && !(slot && e->slot == slot))
			insert6(t, e);
	}
	if (add)
		insert6(t, add);
	rcu_set(v->pfx6, t);
	vfr_retire(v, &old->rcu, pfx6_size(old->mask + 1), NULL);
	return 0;
}

/* A /64 and a /128 inside it belong together only if one domain has both. */
static const struct pfx6_entry *overlap6(const struct pfx6_table *t, const struct pfx6_entry *e)
{
	for (uint32_t i = 0; i <= t->mask; i++) {
		const struct pfx6_entry *o = &t->e[i];
		uint8_t plen = o->plen < e->plen ? o->plen : e->plen;

		if (o->plen && memcmp(o->addr, e->addr, plen / 8) == 0 && o->slot != e->slot)
			return o;
	}
	return NULL;
}

static int add6(struct vfr *v, const struct pfx6_entry *e, uint16_t *owner)
{
	const struct pfx6_table *t = rcu_get(v->pfx6);
	const struct pfx6_entry *there = find6(t, e->addr, e->plen), *other = overlap6(t, e);

	if (other) {
		struct vfr_dom *d = vfr_dom_at(v, other->slot);

		if (owner)
			*owner = d ? d->domid : VFR_NODOM;
		return -EEXIST;
	}
	return there ? 0 : rebuild6(v, NULL, SLOT_NONE, e);
}

int vfr_prefix6_add(struct vfr *v, const uint8_t addr[16], uint8_t plen, uint16_t domid, uint16_t *owner)
{
	struct pfx6_entry e = { .plen = plen };
	bool self = domid == VFR_NODOM;

	if ((plen != 64 && plen != 128) || addr[0] == 0xff || (self && plen != 128) || domid == VFR_GLOBAL)
		return -EINVAL;
	memcpy(e.addr, addr, plen / 8);
	e.kind = self ? ADDR_SELF : ADDR_DEDICATED;
	env_lock(&v->config_lock);
	struct vfr_dom *d = vfr_dom_get(v, domid);
	int r = -ENOMEM;
	if (d) {
		e.slot = d->slot;
		r = add6(v, &e, owner);
	}
	env_unlock(&v->config_lock);
	vfr_reclaim(v);
	return r;
}

int vfr_prefix6_del(struct vfr *v, const uint8_t addr[16], uint8_t plen)
{
	if (plen != 64 && plen != 128)
		return -EINVAL;
	env_lock(&v->config_lock);
	const struct pfx6_entry *e = find6(rcu_get(v->pfx6), addr, plen);
	uint16_t slot = e && plen == 64 ? e->slot : SLOT_NONE;
	int r = e ? rebuild6(v, e, SLOT_NONE, NULL) : -ENOENT;
	env_unlock(&v->config_lock);
	vfr_reclaim(v);
	if (!r && slot)
		vfr_ra_withdraw(v, slot, addr);
	return r;
}

/* --- both ------------------------------------------------------------------------------------------------------------- */

/* Without memory for smaller tables the entries stay, and lead to an owner that is gone: such packets are dropped. */
void vfr_addrs_drop_dom(struct vfr *v, uint16_t slot)
{
	if (rebuild(v, false, 0, slot, NULL) || rebuild6(v, NULL, slot, NULL))
		env_log(ENV_WARN, "vfr: no memory to forget the addresses of a domain");
}

int vfr_addrs_init(struct vfr *v)
{
	struct addr_table *a = make_addrs(0);
	struct pfx6_table *p = make_pfx6(0);

	rcu_set(v->addrs, a);
	rcu_set(v->pfx6, p);
	return a && p ? 0 : -ENOMEM;
}

void vfr_addrs_destroy(struct vfr *v)
{
	struct addr_table *a = rcu_get(v->addrs);
	struct pfx6_table *p = rcu_get(v->pfx6);
	struct route_table *r = rcu_get(v->routes);

	for (uint32_t i = 0; a && i <= a->mask; i++) {
		if (a->e[i].kind != ADDR_SHARED)
			continue;
		vfr_shared_gone(v, &a->e[i].shared->rcu);
		env_free(a->e[i].shared, sizeof(struct vfr_shared));
	}
	env_free(a, a ? addrs_size(a->mask + 1) : 0);
	env_free(p, p ? pfx6_size(p->mask + 1) : 0);
	env_free(r, r ? sizeof(*r) + (r->n[0] + r->n[1]) * sizeof(r->r[0]) : 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains as the router knows them: an account with counters, a policy, and a small number, the slot, that stands in owner
 * tables. A domain comes to be when it is first mentioned and goes with vfr_domain_del(); its slot is used again only when no
 * CPU can still be looking at it.
 */
#include <vfr/priv.h>

void vfr_domain_defaults(struct vfr_domain_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->egress_denies = 1;
	cfg->egress_deny[0] = (struct vfr_egress_deny){ .proto = IP_TCP, .first = 25, .last = 25 };
}

static size_t counts_size(const struct vfr *v)
{
	return CPUS(v) * 2 * sizeof(struct vfr_dir_counters);
}

struct vfr_dom *vfr_dom_find(struct vfr *v, uint16_t domid)
{
	return v->slot_of[domid] ? vfr_dom_at(v, v->slot_of[domid]) : NULL;
}

static struct vfr_dom *make(struct vfr *v, uint16_t domid, uint16_t slot)
{
	struct vfr_dom *d = env_alloc(sizeof(*d));
	struct vfr_domcfg *cfg = env_alloc(sizeof(*cfg));

	if (d)
		d->count = env_alloc(counts_size(v));
	if (!d || !cfg || !d->count) {
		env_free(cfg, sizeof(*cfg));
		if (d)
			env_free(d->count, counts_size(v));
		env_free(d, sizeof(*d));
		return NULL;
	}
	vfr_domain_defaults(&cfg->c);
	d->domid = domid;
	d->slot = slot;
	d->port = VFR_NOPORT;
	rcu_set(d->cfg, cfg);
	rcu_set(v->dom[slot], d);
	return d;
}

static uint16_t free_slot(struct vfr *v)
{
	for (unsigned int i = 0; i < v->par.max_domains; i++) {
		uint16_t slot = (uint16_t)((v->slot_hint + i) % v->par.max_domains);

		if (slot != SLOT_NONE && !rcu_get(v->dom[slot])) {
			v->slot_hint = (uint16_t)(slot + 1);
			return slot;
		}
	}
	return SLOT_NONE;
}

struct vfr_dom *vfr_dom_get(struct vfr *v, uint16_t domid)
{
	struct vfr_dom *d = vfr_dom_find(v, domid);

	if (d)
		return d;
	if (domid == VFR_NODOM)
		return rcu_get(v->dom[0]) ? rcu_get(v->dom[0]) : make(v, domid, SLOT_NONE);
	if (domid == VFR_GLOBAL)
		return NULL;
	uint16_t slot = free_slot(v);
	if (slot == SLOT_NONE) {
		vfr_reclaim(v);
		slot = free_slot(v);
	}
	if (slot == SLOT_NONE)
		return NULL;
	d = make(v, domid, slot);
	if (d)
		v->slot_of[domid] = slot;
	return d;
}

/* => the domain's configuration with a private copy to change, to be published by set_config(). */
static struct vfr_domcfg *copy_config(struct vfr_dom *d)
{
	struct vfr_domcfg *cfg = env_alloc(sizeof(*cfg));

	if (cfg)
		*cfg = *rcu_get(d->cfg);
	return cfg;
}

static void set_config(struct vfr *v, struct vfr_dom *d, struct vfr_domcfg *cfg)
{
	struct vfr_domcfg *old = rcu_get(d->cfg);

	rcu_set(d->cfg, cfg);
	atomic_store(&d->translated, cfg->c.nat_addr != 0);
	vfr_way_set(v, d);
	vfr_retire(v, &old->rcu, sizeof(*old), NULL);
}

/* => config_lock held with the domain and a copy of its configuration, or an error with nothing held. */
static int begin_change(struct vfr *v, uint16_t domid, struct vfr_dom **d, struct vfr_domcfg **cfg)
{
	env_lock(&v->config_lock);
	*d = domid < VFR_GLOBAL ? vfr_dom_get(v, domid) : NULL;
	*cfg = *d ? copy_config(*d) : NULL;
	if (*cfg)
		return 0;
	env_unlock(&v->config_lock);
	return domid < VFR_GLOBAL ? -ENOMEM : -EINVAL;
}

static void end_change(struct vfr *v, struct vfr_dom *d, struct vfr_domcfg *cfg)
{
	set_config(v, d, cfg);
	env_unlock(&v->config_lock);
	vfr_reclaim(v);
}

int vfr_domain_set(struct vfr *v, uint16_t domid, const struct vfr_domain_cfg *c)
{
	struct vfr_domcfg *cfg;
	struct vfr_dom *d;

	if (c->egress_denies > VFR_EGRESS_DENY_MAX)
		return -EINVAL;
	int r = begin_change(v, domid, &d, &cfg);
	if (r)
		return r;
	cfg->c = *c;
	end_change(v, d, cfg);
	return 0;
}

int vfr_domain_get(struct vfr *v, uint16_t domid, struct vfr_domain_cfg *out)
{
	env_lock(&v->config_lock);
	struct vfr_dom *d = domid < VFR_GLOBAL ? vfr_dom_find(v, domid) : NULL;
	if (d)
		*out = rcu_get(d->cfg)->c;
	env_unlock(&v->config_lock);
	return d ? 0 : -ENOENT;
}

int vfr_dhcp_set(struct vfr *v, uint16_t domid, const struct vfr_dhcp_cfg *c)
{
	struct vfr_domcfg *cfg;
	struct vfr_dom *d;
	int r = begin_change(v, domid, &d, &cfg);

	if (r)
		return r;
	cfg->dhcp = *c;
	end_change(v, d, cfg);
	return 0;
}

int vfr_dhcp_get(struct vfr *v, uint16_t domid, struct vfr_dhcp_cfg *out)
{
	if (domid >= VFR_GLOBAL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	env_lock(&v->config_lock);
	struct vfr_dom *d = vfr_dom_find(v, domid);
	if (d)
		*out = rcu_get(d->cfg)->dhcp;
	env_unlock(&v->config_lock);
	return 0;
}

int vfr_ra_set(struct vfr *v, uint16_t domid, const struct vfr_ra_cfg *c)
{
	struct vfr_domcfg *cfg;
	struct vfr_dom *d;
	int r = begin_change(v, domid, &d, &cfg);

	if (r)
		return r;
	struct vfr_ra_cfg was = cfg->ra;
	cfg->ra = *c;
	end_change(v, d, cfg);
	if (was.on && !c->on)
		vfr_ra_farewell(v, domid, &was);
	return 0;
}

static void dom_gone(struct vfr *v, struct vfr_rcu *obj)
{
	struct vfr_dom *d = (struct vfr_dom *)obj;

	/* A packet that was under way while the domain left may have opened something in its name. */
	vfr_nat_drop_dom(v, d->slot);
	vfr_conns_drop_dom(v, d->slot);
	env_free(rcu_get(d->cfg), sizeof(struct vfr_domcfg));
	env_free(d->count, counts_size(v));
	rcu_set(v->dom[d->slot], NULL);
}

int vfr_domain_del(struct vfr *v, uint16_t domid, uint64_t now_ns)
{
	struct ctx c;

	env_lock(&v->config_lock);
	struct vfr_dom *d = domid < VFR_GLOBAL ? vfr_dom_find(v, domid) : NULL;
	uint16_t port = d ? atomic_load(&d->port) : VFR_NOPORT;
	env_unlock(&v->config_lock);
	if (!d)
		return -ENOENT;
	if (port != VFR_NOPORT)
		vfr_port_detach(v, port, now_ns);
	env_lock(&v->config_lock);
	if (vfr_dom_find(v, domid) != d) {
		/* somebody else was faster */
		env_unlock(&v->config_lock);
		return -ENOENT;
	}
	vfr_rules_drop_dom(v, d);
	vfr_slices_drop_dom(v, d, now_ns);
	vfr_addrs_drop_dom(v, d->slot);
	v->slot_of[domid] = SLOT_NONE;
	atomic_store(&d->dying, true);
	env_unlock(&v->config_lock);
	vfr_nat_drop_dom(v, d->slot);
	vfr_conns_drop_dom(v, d->slot);
	vfr_settle(v);
	vfr_enter_setter(&c, v, now_ns);
	vfr_frag_dom_gone(&c, d->slot);
	vfr_leave_setter(&c);
	vfr_retire(v, &d->rcu, sizeof(*d), dom_gone);
	vfr_reclaim(v);
	return 0;
}

void vfr_doms_destroy(struct vfr *v)
{
	for (unsigned int slot = 0; slot < v->par.max_domains; slot++) {
		struct vfr_dom *d = rcu_get(v->dom[slot]);

		if (!d || atomic_load(&d->dying))
			continue;
		dom_gone(v, &d->rcu);
		env_free(d, sizeof(*d));
	}
}

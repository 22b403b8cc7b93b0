/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports: where packets come in and go out. A port is immutable; a change replaces it. */
#include <vfr/priv.h>

void vfr_way_set(struct vfr *v, const struct vfr_dom *d)
{
	struct dom_way *w = &v->way[d->slot];
	const struct vfr_port *port = vfr_port_at(v, atomic_load(&d->port));
	uint64_t to = 0;

	if (port && !atomic_load(&d->translated)) {
		/* A packet under way may read the port of before and this MAC: the domain's own, both of them. */
		atomic_store_explicit(&w->mac, port->mac_word, memory_order_relaxed);
		rcu_set(w->count, d->count);
		to = WAY_ON | port->id | (uint64_t)port->mtu << 16 | (uint64_t)d->domid << 32;
		to |= (rcu_get(d->rules) ? WAY_RULES : 0) | (vfr_rules_follow(rcu_get(d->rules)) ? WAY_CONNS : 0);
	}
	atomic_store(&w->to, to);
}

static int publish(struct vfr *v, const struct vfr_port_cfg *cfg, uint16_t id)
{
	struct vfr_dom *d = NULL;

	if (rcu_get(v->port[id]))
		return -EEXIST;
	if (cfg->kind == VFR_PORT_GUEST) {
		d = vfr_dom_get(v, cfg->domid);
		if (!d)
			return -ENOMEM;
		if (atomic_load(&d->port) != VFR_NOPORT)
			return -EEXIST;
	}
	struct vfr_port *port = env_alloc(sizeof(*port));
	if (!port)
		return -ENOMEM;
	memcpy(port->mac, cfg->mac, 6);
	port->mac_word = (uint64_t)env_get16(cfg->mac) << 32 | env_get32(cfg->mac + 2);
	port->kind = cfg->kind;
	port->id = id;
	port->mtu = cfg->mtu ? cfg->mtu : 1500;
	port->slot = d ? d->slot : SLOT_NONE;
	rcu_set(v->port[id], port);
	if (d) {
		atomic_store(&d->port, id);
		vfr_way_set(v, d);
	}
	return 0;
}

int vfr_port_attach(struct vfr *v, uint16_t id, const struct vfr_port_cfg *cfg)
{
	if (id >= v->par.max_ports || cfg->kind > VFR_PORT_GUEST || (cfg->mac[0] & 1))
		return -EINVAL;
	if (cfg->kind == VFR_PORT_GUEST && cfg->domid >= VFR_GLOBAL)
		return -EINVAL;
	if (cfg->mtu && cfg->mtu < 68)
		return -EINVAL;
	env_lock(&v->config_lock);
	int r = publish(v, cfg, id);
	env_unlock(&v->config_lock);
	return r;
}

int vfr_port_mtu_set(struct vfr *v, uint16_t id, uint16_t mtu)
{
	if (id >= v->par.max_ports || mtu < 68)
		return -EINVAL;
	struct vfr_port *fresh = env_alloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	env_lock(&v->config_lock);
	struct vfr_port *old = rcu_get(v->port[id]);
	if (old) {
		*fresh = *old;
		fresh->mtu = mtu;
		rcu_set(v->port[id], fresh);
		if (fresh->slot)
			vfr_way_set(v, vfr_dom_at(v, fresh->slot));
		vfr_retire(v, &old->rcu, sizeof(*old), NULL);
	}
	env_unlock(&v->config_lock);
	if (!old)
		env_free(fresh, sizeof(*fresh));
	vfr_reclaim(v);
	return old ? 0 : -ENOENT;
}

int vfr_port_detach(struct vfr *v, uint16_t id, uint64_t now_ns)
{
	struct ctx c;

	if (id >= v->par.max_ports)
		return -EINVAL;
	env_lock(&v->config_lock);
	struct vfr_port *port = rcu_get(v->port[id]);
	if (port) {
		struct vfr_dom *d = vfr_dom_at(v, port->slot);

		rcu_set(v->port[id], NULL);
		if (d) {
			atomic_store(&d->port, VFR_NOPORT);
			vfr_way_set(v, d);
		}
		vfr_retire(v, &port->rcu, sizeof(*port), NULL);
	}
	env_unlock(&v->config_lock);
	if (!port)
		return -ENOENT;
	/* Whoever saw the port may still be queueing its packets: only then are they all to be found. */
	vfr_settle(v);
	vfr_enter_setter(&c, v, now_ns);
	vfr_neigh_port_gone(&c, id);
	vfr_frag_port_gone(&c, id);
	vfr_leave_setter(&c);
	vfr_reclaim(v);
	return 0;
}

void vfr_ports_destroy(struct vfr *v)
{
	for (unsigned int id = 0; id < v->par.max_ports; id++)
		env_free(rcu_get(v->port[id]), sizeof(struct vfr_port));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounts: by domain and direction, kept for each CPU apart and summed when somebody asks; and events for the audit, at most
 * one a second for each kind and domain, with the count of those that were not told one by one.
 */
#include <vfr/priv.h>

#define EVENT_GAP SEC

static struct vfr_dir_counters *counters(struct ctx *c, struct vfr_dom *d, enum vfr_dir dir)
{
	return &d->count[c->cpu_id * 2 + dir];
}

static void bump(struct vfr_dir_counters *n, const struct vfr_pkt *p)
{
	switch (p->verdict) {
	case VFR_FORWARD:
		n->packets++;
		n->bytes += p->len;
		break;
	case VFR_DROP:
		n->drop[p->drop]++;
		break;
	default:
		n->consumed++;
		break;
	}
}

/* A packet between two domains is the sender's, whatever comes of it, and the receiver's if it gets there. */
void vfr_count(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *src, struct vfr_dom *dst)
{
	if (src) {
		bump(counters(c, src, VFR_OUT), p);
		if (!dst || p->verdict != VFR_FORWARD)
			return;
	}
	bump(counters(c, dst ? dst : rcu_get(c->v->dom[0]), VFR_IN), p);
}

static void add(struct vfr_dir_counters *to, const struct vfr_dir_counters *n)
{
	to->packets += n->packets;
	to->bytes += n->bytes;
	to->consumed += n->consumed;
	for (unsigned int i = 0; i < VFR_DROP_COUNT; i++)
		to->drop[i] += n->drop[i];
}

int vfr_counters_read(struct vfr *v, uint16_t domid, struct vfr_counters *out)
{
	memset(out, 0, sizeof(*out));
	env_lock(&v->config_lock);
	struct vfr_dom *d = domid == VFR_NODOM ? rcu_get(v->dom[0]) : domid < VFR_GLOBAL ? vfr_dom_find(v, domid) : NULL;
	for (unsigned int cpu = 0; d && cpu < CPUS(v); cpu++) {
		add(&out->dir[VFR_IN], &d->count[cpu * 2 + VFR_IN]);
		add(&out->dir[VFR_OUT], &d->count[cpu * 2 + VFR_OUT]);
	}
	if (d) {
		out->conns = atomic_load(&d->conns);
		out->frags = atomic_load(&d->frags);
		out->nat = atomic_load(&d->nat);
	}
	env_unlock(&v->config_lock);
	return d ? 0 : -ENOENT;
}

void vfr_totals_read(struct vfr *v, struct vfr_totals *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int cpu = 0; cpu < CPUS(v); cpu++) {
		const struct vfr_totals *t = &v->cpu[cpu].total;

		out->input += t->input;
		out->forwarded += t->forwarded;
		out->dropped += t->dropped;
		out->consumed += t->consumed;
		out->emitted += t->emitted;
	}
	out->held = out->input - out->forwarded - out->dropped - out->consumed;
}

void vfr_event(struct ctx *c, struct vfr_dom *d, enum vfr_event_type type, const struct vfr_pkt *p, uint32_t rule_id)
{
	struct vfr_event ev = { .now_ns = c->now, .type = (uint16_t)type, .rule_id = rule_id };

	if (c->trace || !c->v->ops->audit)
		return;
	d = d ? d : rcu_get(c->v->dom[0]);
	env_lock(&d->lock);
	d->event[type].count++;
	if (d->event[type].next_ns <= c->now) {
		ev.count = d->event[type].count;
		d->event[type].count = 0;
		d->event[type].next_ns = c->now + EVENT_GAP;
	}
	env_unlock(&d->lock);
	if (!ev.count)
		return;
	ev.domid = d->domid;
	ev.proto = p->proto;
	ev.dir = c->in && c->in->kind == VFR_PORT_GUEST ? VFR_OUT : VFR_IN;
	ev.sport = p->sport;
	ev.dport = p->dport;
	ev.src = p->flags & VFR_PF_IPV4 ? p->src : 0;
	ev.dst = p->flags & VFR_PF_IPV4 ? p->dst : 0;
	c->v->ops->audit(c->v->host, &ev);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules: what may pass, by first match, in both directions.
 *
 * Overview: a domain's list and the global one are each compiled into a rule set with one classifier for each (family,
 * direction). The classifier answers for addresses, ports and protocol; what it cannot see (TCP flags, ICMP type, connection
 * state, rate) is checked on the rule it found, and the search goes on behind a rule that does not apply after all.
 * The sender's rules are asked for "out", the receiver's for "in", so between two guests both have their say.
 *
 * A rule with VFR_RULE_STATE opens a connection: from then on the rules of that domain are not asked for its packets, in
 * neither direction, nor for ICMP errors about it.
 */
#include <vfr/rules.h>

/* One packet's questions. */
struct query {
	struct class_key key;
	struct conn_hit conn;
	bool keyed;
};

static bool limit_ok(struct ctx *c, struct vfr_ruleset *s, uint32_t i)
{
	if (c->trace)
		return true;
	env_lock(&s->limit_lock);
	bool ok = vfr_bucket_take(&s->bucket[i], c->now, s->rule[i].rate, s->rule[i].burst);
	env_unlock(&s->limit_lock);
	return ok;
}

/* What the classifier cannot see. */
static bool applies(struct ctx *c, struct vfr_ruleset *s, uint32_t i, const struct vfr_pkt *p, const struct query *q)
{
	const struct vfr_rule *r = &s->rule[i];

	if (r->tcp_mask && (p->tcp_flags & r->tcp_mask) != r->tcp_value)
		return false;
	if ((r->icmp_type >= 0 && r->icmp_type != p->tcp_flags) || (r->icmp_code >= 0 && r->icmp_code != p->icmp_code))
		return false;
	if (r->state && !(r->state & q->conn.state))
		return false;
	/* Ports of a packet that has none match only a rule that does not ask. */
	if (!(p->flags & VFR_PF_PORTS) && (r->sport_first || r->dport_first || r->sport_last != 65535 || r->dport_last != 65535))
		return false;
	return !(r->flags & VFR_RULE_LIMIT) || limit_ok(c, s, i);
}

/* => the first rule of the set that decides; NULL: none does. Each that matches on the way may choose the packet's class. */
static const struct vfr_rule *decide(struct ctx *c, struct vfr_ruleset *s, const struct vfr_pkt *p, struct way *w, struct query *q,
				     struct vfr_dom *d, enum vfr_dir dir)
{
	const struct classifier *cl = s->cl[p->flags & VFR_PF_IPV6 ? 1 : 0][dir];

	if (!cl)
		return NULL;
	if (!q->keyed)
		rule_key(&q->key, p);
	q->keyed = true;
	for (uint32_t i = vfr_rule_first(c, cl, &q->key); i != UINT32_MAX; i = vfr_classify(cl, &q->key, i + 1)) {
		const struct vfr_rule *r = &s->rule[i];

		if (!applies(c, s, i, p, q))
			continue;
		if (!c->trace)
			rule_note(c, s, i, p);
		if (r->flags & VFR_RULE_LOG)
			vfr_event(c, d, VFR_EV_RULE_LOG, p, r->id);
		if (r->sched_class)
			w->sched_class = r->sched_class;
		if (!(r->flags & VFR_RULE_COUNT))
			return r;
	}
	return NULL;
}

static int open_conn(struct ctx *c, struct vfr_pkt *p, struct way *w, struct vfr_dom *d, const struct query *q)
{
	if (q->conn.state == VFR_ST_INVALID)
		return vfr_drop(c, p, VFR_DROP_CONN_STATE);
	if (!(p->flags & VFR_PF_PORTS))
		return 0;
	/* A SYN has been counted already; of what has none, only this shows that it is new. */
	int over = q->conn.state == VFR_ST_NEW && p->proto != IP_TCP && d == w->src ? vfr_flow_limit(c, p, w) : 0;
	if (over)
		return over;
	enum vfr_drop r = vfr_conn_open(c, p, d, w->sched_class);
	if (r == VFR_DROP_CONN_QUOTA)
		vfr_event(c, d, VFR_EV_CONN_QUOTA, p, 0);
	return r ? vfr_drop(c, p, r) : 0;
}

static int act(struct ctx *c, struct vfr_pkt *p, struct way *w, struct vfr_dom *d, const struct query *q, const struct vfr_rule *r)
{
	switch (r->action) {
	case VFR_ACT_ACCEPT:
		return r->flags & VFR_RULE_STATE ? open_conn(c, p, w, d, q) : 0;
	case VFR_ACT_DROP:
		return vfr_drop(c, p, VFR_DROP_RULE);
	default:
		if (p->proto == IP_TCP)
			vfr_tcp_reset(c, p);
		else
			vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_ADMIN, 0);
		return vfr_drop(c, p, VFR_DROP_RULE_REJECT);
	}
}

/* The global rules, then the domain's; the first list that decides has decided. A global accept does not bind the domain. */
static int ask(struct ctx *c, struct vfr_pkt *p, struct way *w, struct vfr_dom *d, enum vfr_dir dir, struct query *q)
{
	struct vfr_ruleset *lists[2] = { rcu_get(c->v->global_rules), rcu_get(d->rules) };

	for (unsigned int i = 0; i < 2; i++) {
		const struct vfr_rule *r = lists[i] ? decide(c, lists[i], p, w, q, d, dir) : NULL;

		if (!r)
			continue;
		if (c->trace) {
			c->trace->rule_id[dir] = r->id;
			c->trace->rule_dom[dir] = i ? d->domid : VFR_GLOBAL;
		}
		STEP_OF(c, d->domid, VFR_NOPORT, "rules", "%s: rule %u of %s", dir == VFR_IN ? "in" : "out", r->id, i ? "$dom" : "all");
		int verdict = act(c, p, w, d, q, r);
		if (verdict)
			return verdict;
	}
	return 0;
}

/* => nothing to ask this domain: it has no say, or it has said yes to the connection. */
static bool settled(struct ctx *c, const struct vfr_dom *d, const struct query *q)
{
	if (!d || (!rcu_get(d->rules) && !rcu_get(c->v->global_rules)))
		return true;
	if (!(q->conn.state & (VFR_ST_ESTABLISHED | VFR_ST_RELATED)))
		return false;
	return q->conn.slot[0] == d->slot || q->conn.slot[1] == d->slot;
}

static uint16_t known_class(const struct query *q, const struct vfr_dom *d)
{
	return d ? conn_class(q->conn.slot, q->conn.sched_class, d->slot) : 0;
}

int vfr_rules(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	struct query q;
	int r = 0;

	if (!rcu_get(c->v->global_rules) && (!w->src || !rcu_get(w->src->rules)) && (!w->dst || !rcu_get(w->dst->rules)))
		return 0;
	q.keyed = false;
	q.conn = (struct conn_hit){ .state = VFR_ST_INVALID };
	if (atomic_load_explicit(&c->v->conns.wanted, memory_order_relaxed) && (p->flags & (VFR_PF_PORTS | VFR_PF_ICMPERR))) {
		vfr_conn_lookup(c, p, &q.conn);
		if (q.conn.state == VFR_ST_ESTABLISHED)
			STEP(c, "connection", q.conn.bad ? "known, but this does not fit" : "known");
		if (q.conn.bad)
			return vfr_drop(c, p, VFR_DROP_CONN_STATE);
	}
	w->sched_class = known_class(&q, w->src);
	if (!settled(c, w->src, &q))
		r = ask(c, p, w, w->src, VFR_OUT, &q);
	if (r || !w->dst)
		return r;
	/* Sub-classes are a domain's own: what the sender chose is for the uplink, and for the answers to it. */
	w->sched_class = known_class(&q, w->dst);
	return settled(c, w->dst, &q) ? 0 : ask(c, p, w, w->dst, VFR_IN, &q);
}

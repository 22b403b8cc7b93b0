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
 *
 * Life-cycle: a rule set is immutable but for its counters. Setting rules makes a new one, swaps the pointer and retires the old;
 * connections opened under old rules stay.
 */
#include <vfr/rules.h>

/* --- compiling -------------------------------------------------------------------------------------------------------- */

static bool has_ports(uint8_t proto)
{
	return proto == IP_TCP || proto == IP_UDP || proto == IP_SCTP;
}

static bool valid(const struct vfr_rule *r)
{
	uint8_t most = r->family == 4 ? 32 : r->family == 6 ? 128 : 0;
	bool tcp = r->proto == IP_TCP, icmp = r->proto == IP_ICMP || r->proto == IP_ICMP6;

	if ((r->family != 0 && r->family != 4 && r->family != 6) || r->dir > VFR_OUT || r->action > VFR_ACT_REJECT)
		return false;
	if (r->src_plen > most || r->dst_plen > most || r->sport_first > r->sport_last || r->dport_first > r->dport_last)
		return false;
	if ((r->tcp_mask && !tcp) || ((r->icmp_type >= 0 || r->icmp_code >= 0) && !icmp) || (r->tcp_value & ~r->tcp_mask))
		return false;
	if ((r->flags & VFR_RULE_STATE) && r->action != VFR_ACT_ACCEPT)
		return false;
	return !(r->flags & VFR_RULE_LIMIT) || r->rate;
}

/* => all that the classifier cannot see holds for every packet that has ports. */
static bool unconditional(const struct vfr_rule *r)
{
	return !r->tcp_mask && r->icmp_type < 0 && r->icmp_code < 0 && !r->state;
}

/* => no other rule is ever asked for a packet that is in this one's box; of packets without ports that is true only with a key (make_key()
 * gives them port 0) that is not in the box. */
static bool final(const struct vfr_rule *r)
{
	bool any = !r->sport_first && !r->dport_first && r->sport_last == 65535 && r->dport_last == 65535;

	return unconditional(r) && !(r->flags & (VFR_RULE_LIMIT | VFR_RULE_COUNT)) &&
	       (any || has_ports(r->proto) || (!r->proto && (r->sport_first || r->dport_first)));
}

static void box_prefix(struct class_box *b, unsigned int at, unsigned int words, const uint8_t *addr, uint8_t plen)
{
	for (unsigned int i = 0; i < words; i++) {
		unsigned int bits = plen > i * 32 ? (plen - i * 32u > 32 ? 32 : plen - i * 32u) : 0;
		uint32_t mask = bits ? UINT32_MAX << (32 - bits) : 0, a = env_get32(addr + i * 4) & mask;

		b->lo[at + i] = a;
		b->hi[at + i] = a | ~mask;
	}
}

static void make_box(struct class_box *b, const struct vfr_rule *r, unsigned int words, uint32_t index)
{
	unsigned int d = words * 2;
	bool ports = has_ports(r->proto) || !r->proto;

	memset(b, 0, sizeof(*b));
	box_prefix(b, 0, words, r->src, r->src_plen);
	box_prefix(b, words, words, r->dst, r->dst_plen);
	b->lo[d] = ports ? r->sport_first : 0;
	b->hi[d] = ports ? r->sport_last : 65535;
	b->lo[d + 1] = ports ? r->dport_first : 0;
	b->hi[d + 1] = ports ? r->dport_last : 65535;
	b->lo[d + 2] = r->proto;
	b->hi[d + 2] = r->proto ? r->proto : 255;
	b->index = index;
	b->final = final(r);
}

static int compile(struct vfr_ruleset *s, unsigned int six, unsigned int dir)
{
	struct class_box *boxes = env_alloc(s->n * sizeof(*boxes));
	unsigned int words = six ? 4 : 1;
	uint32_t n = 0;
	int r = 0;

	if (!boxes)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct vfr_rule *rule = &s->rule[i];

		if (rule->dir == dir && (!rule->family || rule->family == (six ? 6 : 4)))
			make_box(&boxes[n++], rule, words, i);
	}
	if (n) {
		s->cl[six][dir] = vfr_classifier_make(boxes, n, words * 2 + 3);
		r = s->cl[six][dir] ? 0 : -ENOMEM;
	}
	env_free(boxes, s->n * sizeof(*boxes));
	return r;
}

static void ruleset_gone(struct vfr *v, struct vfr_rcu *obj)
{
	struct vfr_ruleset *s = (struct vfr_ruleset *)obj;

	for (unsigned int i = 0; i < 4; i++)
		vfr_classifier_free(s->cl[i / 2][i % 2]);
	env_free(s->rule, s->n * sizeof(*s->rule));
	env_free(s->passes, s->n * sizeof(*s->passes));
	env_free(s->count, (size_t)s->n * s->cpus * sizeof(*s->count));
	env_free(s->bucket, s->n * sizeof(*s->bucket));
	if (s->counted)
		atomic_fetch_sub(s->stateful ? &v->conns.wanted : &v->rules_alone, 1);
}

static struct vfr_ruleset *make(struct vfr *v, const struct vfr_rule *rules, uint32_t n)
{
	struct vfr_ruleset *s = env_alloc(sizeof(*s));
	bool ok = s;

	if (!s)
		return NULL;
	s->n = n;
	s->cpus = CPUS(v);
	s->rule = env_alloc(n * sizeof(*s->rule));
	s->passes = env_alloc(n * sizeof(*s->passes));
	s->count = env_alloc((size_t)n * s->cpus * sizeof(*s->count));
	s->bucket = env_alloc(n * sizeof(*s->bucket));
	ok = s->rule && s->passes && s->count && s->bucket;
	if (ok)
		memcpy(s->rule, rules, n * sizeof(*rules));
	for (unsigned int i = 0; ok && i < 4; i++)
		ok = compile(s, i / 2, i % 2) == 0;
	for (uint32_t i = 0; ok && i < n; i++) {
		s->stateful |= rules[i].flags & VFR_RULE_STATE || rules[i].state;
		s->passes[i] = rules[i].action == VFR_ACT_ACCEPT && !rules[i].flags && !rules[i].sched_class && unconditional(&rules[i]);
	}
	if (ok) {
		atomic_fetch_add(s->stateful ? &v->conns.wanted : &v->rules_alone, 1);
		s->counted = true;
		return s;
	}
	ruleset_gone(v, &s->rcu);
	env_free(s, sizeof(*s));
	return NULL;
}

/* config_lock held. */
static void swap_in(struct vfr *v, struct vfr_dom *d, struct vfr_ruleset *s)
{
	struct vfr_ruleset *old = d ? rcu_get(d->rules) : rcu_get(v->global_rules);

	if (d) {
		rcu_set(d->rules, s);
		vfr_way_set(v, d);
	} else {
		rcu_set(v->global_rules, s);
	}
	if (old)
		vfr_retire(v, &old->rcu, sizeof(*old), ruleset_gone);
}

int vfr_rules_set(struct vfr *v, uint16_t domid, const struct vfr_rule *rules, uint32_t n, uint32_t *bad)
{
	struct vfr_ruleset *s = NULL;
	struct vfr_dom *d = NULL;
	int r = 0;

	if (domid == VFR_NODOM)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		if (valid(&rules[i]))
			continue;
		if (bad)
			*bad = i;
		return -EINVAL;
	}
	if (n) {
		s = make(v, rules, n);
		if (!s)
			return -ENOMEM;
	}
	env_lock(&v->config_lock);
	if (domid != VFR_GLOBAL)
		d = n ? vfr_dom_get(v, domid) : vfr_dom_find(v, domid);
	if (domid == VFR_GLOBAL || d)
		swap_in(v, d, s);
	else
		r = n ? -ENOMEM : 0;
	env_unlock(&v->config_lock);
	if (r) {
		ruleset_gone(v, &s->rcu);
		env_free(s, sizeof(*s));
	}
	vfr_reclaim(v);
	return r;
}

bool vfr_rules_follow(const struct vfr_ruleset *s)
{
	return s && s->stateful;
}

void vfr_rules_drop_dom(struct vfr *v, struct vfr_dom *d)
{
	swap_in(v, d, NULL);
}

void vfr_rules_destroy(struct vfr *v)
{
	swap_in(v, NULL, NULL);
	for (unsigned int slot = 1; slot < v->par.max_domains; slot++)
		if (rcu_get(v->dom[slot]))
			swap_in(v, rcu_get(v->dom[slot]), NULL);
}

uint32_t vfr_rules_read(struct vfr *v, uint16_t domid, struct vfr_rule_count *out, uint32_t max)
{
	uint32_t n = 0;

	env_lock(&v->config_lock);
	struct vfr_dom *d = domid < VFR_GLOBAL ? vfr_dom_find(v, domid) : NULL;
	struct vfr_ruleset *s = domid == VFR_GLOBAL ? rcu_get(v->global_rules) : d ? rcu_get(d->rules) : NULL;
	for (; s && n < s->n && n < max; n++) {
		out[n] = (struct vfr_rule_count){ .id = s->rule[n].id };
		for (uint32_t cpu = 0; cpu < s->cpus; cpu++) {
			out[n].packets += s->count[(size_t)cpu * s->n + n].packets;
			out[n].bytes += s->count[(size_t)cpu * s->n + n].bytes;
		}
	}
	env_unlock(&v->config_lock);
	return n;
}

/* --- matching --------------------------------------------------------------------------------------------------------- */

/* One packet's questions. */
struct query {
	struct class_key key;
	struct conn_hit conn;
	bool keyed;
};

static void make_key(struct query *q, const struct vfr_pkt *p)
{
	const uint8_t *ip = p->head + p->l3;
	bool ports = has_ports(p->proto);
	uint32_t *w = q->key.w;

	if (p->flags & VFR_PF_IPV4) {
		*w++ = p->src;
		*w++ = p->dst;
	} else {
		for (unsigned int i = 0; i < 32; i += 4)
			*w++ = env_get32(ip + IP6_SRC + i);
	}
	*w++ = ports ? p->sport : 0;
	*w++ = ports ? p->dport : 0;
	*w = p->proto;
	q->keyed = true;
}

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
		make_key(q, p);
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

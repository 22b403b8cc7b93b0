/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rule sets: compiled, set, counted. How they are asked is in rules.c.
 *
 * Life-cycle: a rule set is immutable but for its counters. Setting rules makes a new one, swaps the pointer and retires the old;
 * connections opened under old rules stay.
 */
#include <vfr/rules.h>

/* --- compiling -------------------------------------------------------------------------------------------------------- */

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

/* => no other rule is ever asked for a packet that is in this one's box; of packets without ports that is true only with a key (rule_key()
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

/* --- setting ---------------------------------------------------------------------------------------------------------- */

/* The same rule but for its number, which is its place. */
static bool same_rule(const struct vfr_rule *a, const struct vfr_rule *b)
{
	size_t skip = offsetof(struct vfr_rule, id) + sizeof(a->id);

	return !memcmp((const uint8_t *)a + skip, (const uint8_t *)b + skip, sizeof(*a) - skip);
}

static void take_count(struct vfr_ruleset *s, uint32_t to, const struct vfr_ruleset *old, uint32_t from)
{
	for (uint32_t cpu = 0; cpu < s->cpus; cpu++)
		s->count[(size_t)cpu * s->n + to] = old->count[(size_t)cpu * old->n + from];
}

/* Rules ahead of a change and behind it go on counting. What another CPU counts meanwhile is lost to them. */
static void keep_counts(struct vfr_ruleset *s, const struct vfr_ruleset *old)
{
	uint32_t n = s->n < old->n ? s->n : old->n, head = 0, tail = 0;

	while (head < n && same_rule(&s->rule[head], &old->rule[head])) {
		take_count(s, head, old, head);
		head++;
	}
	while (tail < n - head && same_rule(&s->rule[s->n - 1 - tail], &old->rule[old->n - 1 - tail])) {
		take_count(s, s->n - 1 - tail, old, old->n - 1 - tail);
		tail++;
	}
}

/* config_lock held. */
static void swap_in(struct vfr *v, struct vfr_dom *d, struct vfr_ruleset *s)
{
	struct vfr_ruleset *old = d ? rcu_get(d->rules) : rcu_get(v->global_rules);

	if (s && old)
		keep_counts(s, old);
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

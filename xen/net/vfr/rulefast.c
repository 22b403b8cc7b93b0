/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules asked ahead: the classifier answers many questions in less time than one by one, so what will be asked for the plain packets
 * of a batch is asked before the first of them is on its way. An answer belongs to a classifier and a key; whoever asks this
 * classifier for this key gets it, and the packet's way is the same with no answer at all.
 *
 * Where connections are followed, nothing is asked but for a packet that opens one: the others are known, mostly. And where all rules
 * follow connections, nothing is.
 */
#include <string.h>

#include <vfr/rules.h>


/* Adds the questions that lie ahead of a plain packet. */
static unsigned int ask(struct ctx *c, const struct vfr_pkt *p, const struct vfr_ruleset *own, enum vfr_dir dir, unsigned int n)
{
	const struct vfr_ruleset *lists[2] = { rcu_get(c->v->global_rules), own };
	bool six = p->flags & VFR_PF_IPV6;
	struct class_query *q = c->cpu->asked;

	for (unsigned int i = 0; i < 2; i++) {
		if (!lists[i] || !lists[i]->cl[six][dir])
			continue;
		rule_key(&q[n].key, p);
		q[n].from = 0;
		q[n].cl = lists[i]->cl[six][dir];
		n++;
	}
	return n;
}

bool vfr_rules_ahead(struct ctx *c, struct vfr_pkt **pkts, unsigned int n, const int *parsed, const struct vfr_dom *from, uint8_t *first)
{
	const struct vfr_ruleset *all = rcu_get(c->v->global_rules), *own = from ? rcu_get(from->rules) : NULL;
	bool in = c->in && c->in->kind == VFR_PORT_UPLINK, follow = vfr_rules_follow(all) || vfr_rules_follow(own);
	unsigned int asked = 0;

	if (!atomic_load_explicit(&c->v->rules_alone, memory_order_relaxed))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		first[i] = (uint8_t)asked;
		if (parsed[i] != PARSED_PLAIN)
			continue;
		bool opens = pkts[i]->flags & VFR_PF_NEWFLOW;
		if (!in) {
			asked = opens || !follow ? ask(c, pkts[i], own, VFR_OUT, asked) : asked;
			continue;
		}
		uint16_t slot = pkts[i]->dst_dom;
		uint64_t to = atomic_load_explicit(&c->v->way[slot].to, memory_order_acquire);
		if (to && (all || (to & WAY_RULES)) && (opens || !(follow || (to & WAY_CONNS))))
			asked = ask(c, pkts[i], to & WAY_RULES ? rcu_get(vfr_dom_at(c->v, slot)->rules) : NULL, VFR_IN, asked);
	}
	first[n] = (uint8_t)asked;
	vfr_classify_batch(c->cpu->asked, asked);
	return asked;
}

static const struct class_query *answer(const struct ctx *c, const struct classifier *cl)
{
	for (const struct class_query *q = c->asked; q < c->asked_end; q++)
		if (q->cl == cl)
			return q;
	return NULL;
}

uint32_t vfr_rule_first(const struct ctx *c, const struct classifier *cl, const struct class_key *key)
{
	const struct class_query *q = answer(c, cl);

	return q && !memcmp(&q->key, key, vfr_classifier_dims(cl) * sizeof(key->w[0])) ? q->best : vfr_classify(cl, key, 0);
}

/* What is known of connections says nothing of this packet. */
static bool unconnected(const struct ctx *c, const struct vfr_pkt *p)
{
	return !atomic_load_explicit(&c->v->conns.wanted, memory_order_relaxed) || conn_unknown(&c->v->conns, p);
}

bool vfr_rules_pass(struct ctx *c, const struct vfr_pkt *p, const struct vfr_dom *d, enum vfr_dir dir)
{
	struct vfr_ruleset *lists[2] = { rcu_get(c->v->global_rules), rcu_get(d->rules) };
	uint32_t rule[2] = { UINT32_MAX, UINT32_MAX };
	bool six = p->flags & VFR_PF_IPV6;

	if (c->asked == c->asked_end || !unconnected(c, p))
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		if (!lists[i] || !lists[i]->cl[six][dir])
			continue;
		const struct class_query *q = answer(c, lists[i]->cl[six][dir]);
		if (!q || (q->best != UINT32_MAX && !lists[i]->passes[q->best]))
			return false;
		rule[i] = q->best;
	}
	for (unsigned int i = 0; i < 2; i++)
		if (rule[i] != UINT32_MAX)
			rule_note(c, lists[i], rule[i], p);
	return true;
}

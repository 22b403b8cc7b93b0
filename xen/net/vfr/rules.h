/* SPDX-License-Identifier: BSD-2-Clause */
/* A compiled list of rules: made by ruleset.c, asked by rules.c, ahead by rulefast.c. */
#ifndef VFR_RULES_H
#define VFR_RULES_H

#include <vfr/classify.h>
#include <vfr/priv.h>

#define VFR_QUESTIONS	(2 * VFR_BATCH)	/* of a batch: the global list and the domain's, for each packet */

static inline bool has_ports(uint8_t proto)
{
	return proto == IP_TCP || proto == IP_UDP || proto == IP_SCTP;
}

struct rule_count {
	uint64_t packets, bytes;
};

struct vfr_ruleset {
	struct vfr_rcu rcu;
	uint32_t n, cpus;
	bool stateful, counted;		/* counted: in conns.wanted or rules_alone */
	struct vfr_rule *rule;
	bool *passes;			/* [rule]: it accepts, and there is no more to it */
	struct rule_count *count;	/* [cpu][rule] */
	struct env_lock limit_lock;	/* the buckets */
	struct vfr_bucket *bucket;
	struct classifier *cl[2][2];	/* [IPv6][dir] */
};

static inline void rule_note(struct ctx *c, struct vfr_ruleset *s, uint32_t i, const struct vfr_pkt *p)
{
	struct rule_count *n = &s->count[(size_t)c->cpu_id * s->n + i];

	n->packets++;
	n->bytes += p->len;
}

/* What rules are asked for a packet by. */
static inline void rule_key(struct class_key *k, const struct vfr_pkt *p)
{
	const uint8_t *ip = p->head + p->l3;
	bool ports = has_ports(p->proto);
	uint32_t *w = k->w;

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
}

/* rulefast.c => the first rule whose addresses, ports and protocol are the packet's, UINT32_MAX: none. */
uint32_t vfr_rule_first(const struct ctx *c, const struct classifier *cl, const struct class_key *key);

#endif

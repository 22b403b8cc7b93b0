/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules: from the message's form (sets of ports, both directions, what happens to the rest) to the router's plain list.
 *
 * A rule with several port ranges becomes several router rules of the same number, which is its place in the set counted from 1.
 * Where a side refuses by default, what is allowed keeps a connection, so that the answers need no rule of their own.
 */
#include <vfr/vfr.h>

#include "internal.h"

#define ROUTER_RULES_MAX 8192

/* => what no rule names is not simply allowed, so that it is a rule of its own; and what is allowed keeps a connection */
static bool has_rest(const struct vc_rule_set *rs)
{
	return rs->def_in != VC_RULE_ALLOW || rs->def_out != VC_RULE_ALLOW;
}

struct sink {
	struct vfr_rule *v;	/* NULL: count only */
	uint32_t n;
};

static int check_ranges(const struct vc_port_range *v, unsigned int n, struct control_error *err, unsigned int rule)
{
	if (n > VC_RULE_PORTS)
		return control_refuse(err, EINVAL, "bad-rule", "rule %u has %u port ranges, %d at most", rule + 1, n, VC_RULE_PORTS);
	for (unsigned int i = 0; i < n; i++)
		if (v[i].first > v[i].last)
			return control_refuse(err, EINVAL, "bad-rule", "rule %u: the range %u-%u is backwards", rule + 1, v[i].first,
					      v[i].last);
	return 0;
}

static int check_rule(const struct vc_rule *r, unsigned int i, struct control_error *err)
{
	int rc;

	if (!r->dirs || r->dirs > 3 || r->action >= VC_RULE_ACTIONS || r->flags > 3 || r->states > 15)
		return control_refuse(err, EINVAL, "bad-rule", "rule %u: unknown direction, action, flag or state", i + 1);
	if (r->family && r->family != 4 && r->family != 6)
		return control_refuse(err, EINVAL, "bad-rule", "rule %u: family %u", i + 1, r->family);
	if (!r->family && (r->src_len || r->dst_len))
		return control_refuse(err, EINVAL, "bad-rule", "rule %u: addresses need a family", i + 1);
	if (r->src_len > 128 || r->dst_len > 128 || (r->family == 4 &&
						     ((r->src_len && r->src_len < 96) || (r->dst_len && r->dst_len < 96))))
		return control_refuse(err, ERANGE, "bad-rule", "rule %u: a prefix length is out of range", i + 1);
	if ((r->nsrc || r->ndst) && (!r->proto_set || (r->proto != 6 && r->proto != 17 && r->proto != 132)))
		return control_refuse(err, EINVAL, "bad-rule", "rule %u: ports need tcp, udp or sctp", i + 1);
	if (r->icmp_set > 2 || r->proto_set > 1)
		return control_refuse(err, EINVAL, "bad-rule", "rule %u: proto_set or icmp_set is out of range", i + 1);
	if (r->sub >= VC_SUBS)
		return control_refuse(err, EINVAL, "bad-rule", "rule %u: sub-class %u, but they are 1 to %d", i + 1, r->sub, VC_SUBS - 1);
	rc = check_zero(r->reserved, sizeof(r->reserved), err);
	if (!rc)
		rc = check_ranges(r->sports, r->nsrc, err, i);
	return rc ? rc : check_ranges(r->dports, r->ndst, err, i);
}

int rules_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_rule_set *rs = body;
	const struct vc_rule *r = (const void *)(rs + 1);
	int rc = check_name(rs->dom, sizeof(rs->dom), "domain", true, err);

	if (!rc)
		rc = check_zero(&rs->reserved, sizeof(rs->reserved), err);
	if (rc)
		return rc;
	if (rs->count > VC_RULES_MAX || n != sizeof(*rs) + rs->count * sizeof(*r))
		return control_refuse(err, EINVAL, "bad-length", "%zu bytes are not %u rules (at most %d)", n, rs->count, VC_RULES_MAX);
	if (rs->def_in >= VC_RULE_PASS || rs->def_out >= VC_RULE_PASS)
		return control_refuse(err, EINVAL, "bad-rule", "what happens to the rest is allow, deny or reject");
	for (unsigned int i = 0; i < rs->count && !rc; i++)
		rc = check_rule(&r[i], i, err);
	return rc;
}

static void set_action(struct vfr_rule *o, unsigned int action, bool keep)
{
	static const uint8_t actions[] = {
		[VC_RULE_ALLOW] = VFR_ACT_ACCEPT, [VC_RULE_DENY] = VFR_ACT_DROP, [VC_RULE_REJECT] = VFR_ACT_REJECT,
		[VC_RULE_PASS] = VFR_ACT_ACCEPT,
	};

	o->action = actions[action];
	if (action == VC_RULE_PASS)
		o->flags |= VFR_RULE_COUNT;
	else if (action == VC_RULE_ALLOW && keep)
		o->flags |= VFR_RULE_STATE;
}

static void set_prefix(uint8_t *addr, uint8_t *plen, const struct vc_ip *ip, unsigned int len, unsigned int family)
{
	if (family == 4) {
		memcpy(addr, ip->b + 12, 4);
		*plen = len ? len - 96 : 0;
	} else {
		memcpy(addr, ip->b, 16);
		*plen = len;
	}
}

static void base_rule(const struct vc_rule *r, unsigned int i, bool keep, struct vfr_rule *o)
{
	memset(o, 0, sizeof(*o));
	o->id = i + 1;
	o->family = r->family;
	o->proto = r->proto_set ? r->proto : 0;
	o->state = r->states;
	o->tcp_mask = r->tcp_mask;
	o->tcp_value = r->tcp_flags;
	o->icmp_type = r->icmp_set ? r->icmp_type : -1;
	o->icmp_code = r->icmp_set == 2 ? r->icmp_code : -1;
	set_prefix(o->src, &o->src_plen, &r->src, r->src_len, r->family);
	set_prefix(o->dst, &o->dst_plen, &r->dst, r->dst_len, r->family);
	o->sport_last = o->dport_last = 65535;
	o->rate = r->limit_pps;
	o->burst = r->limit_burst;
	o->sched_class = r->sub;
	if (r->flags & VC_RULE_LOG)
		o->flags |= VFR_RULE_LOG;
	if (r->limit_pps)
		o->flags |= VFR_RULE_LIMIT;
	set_action(o, r->action, keep);
}

static void emit(struct sink *out, const struct vfr_rule *rule, const struct vc_port_range *s, const struct vc_port_range *d,
		 unsigned int dir)
{
	struct vfr_rule *o;

	if (!out->v) {
		out->n++;
		return;
	}
	o = &out->v[out->n++];
	*o = *rule;
	o->dir = dir;
	if (s) {
		o->sport_first = s->first;
		o->sport_last = s->last;
	}
	if (d) {
		o->dport_first = d->first;
		o->dport_last = d->last;
	}
}

static void expand(struct sink *out, const struct vc_rule *r, unsigned int i, bool keep)
{
	struct vfr_rule rule;

	base_rule(r, i, keep, &rule);
	for (unsigned int dir = VC_RULE_IN; dir <= VC_RULE_OUT; dir <<= 1) {
		if (!(r->dirs & dir))
			continue;
		for (unsigned int s = 0; s < (r->nsrc ? r->nsrc : 1u); s++)
			for (unsigned int d = 0; d < (r->ndst ? r->ndst : 1u); d++)
				emit(out, &rule, r->nsrc ? &r->sports[s] : NULL, r->ndst ? &r->dports[d] : NULL,
				     dir == VC_RULE_IN ? VFR_IN : VFR_OUT);
	}
}

static void expand_rest(struct sink *out, const struct vc_rule_set *rs, bool keep)
{
	struct vc_rule rest = {.dirs = VC_RULE_IN, .action = rs->def_in};

	if (!keep)
		return;
	expand(out, &rest, rs->count, keep);
	rest.dirs = VC_RULE_OUT;
	rest.action = rs->def_out;
	expand(out, &rest, rs->count, keep);
}

static void expand_all(struct sink *out, const struct vc_rule_set *rs)
{
	const struct vc_rule *r = (const void *)(rs + 1);
	bool keep = has_rest(rs);

	out->n = 0;
	for (unsigned int i = 0; i < rs->count; i++)
		expand(out, &r[i], i, keep);
	expand_rest(out, rs, keep);
}

int rules_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
		struct control_error *err)
{
	const char *name = (const char *)(new ? new : old)->body;
	const struct dom *d = name[0] ? dom_by_name(c, name) : NULL;
	uint16_t domid = d ? d->domid : VFR_GLOBAL;
	struct sink out = {NULL, 0};
	uint32_t bad = 0, room;
	int rc;

	if (!new) {
		vfr_rules_set(c->p.vfr, domid, NULL, 0, &bad);
		return 0;
	}
	expand_all(&out, (const void *)new->body);
	room = out.n ? out.n : 1;
	if (room > ROUTER_RULES_MAX)
		return control_refuse(err, ENOSPC, "too-many-rules", "the rules of %s expand to %u, %d at most", name, room,
				      ROUTER_RULES_MAX);
	out.v = env_alloc(room * sizeof(*out.v));
	if (!out.v)
		return control_refuse(err, ENOMEM, "no-memory", "no memory for the rules of %s", name);
	expand_all(&out, (const void *)new->body);
	rc = vfr_rules_set(c->p.vfr, domid, out.v, out.n, &bad);
	if (rc)
		control_refuse(err, -rc, "bad-rule", "the router refuses rule %u of %s (error %d)", bad < out.n ? out.v[bad].id : 0, name,
			       -rc);
	env_free(out.v, room * sizeof(*out.v));
	return rc;
}

/* --- what they matched ------------------------------------------------------------------------------------------------ */

struct hits {
	struct vfr_rule_count router[ROUTER_RULES_MAX];
	struct vc_count sum[VC_RULES_MAX + 2];	/* by number */
};

static void sum_hits(struct control *c, const char *name, struct hits *h)
{
	const struct dom *d = name[0] ? dom_by_name(c, name) : NULL;
	uint32_t n = name[0] && !d ? 0 : vfr_rules_read(c->p.vfr, d ? d->domid : VFR_GLOBAL, h->router, ROUTER_RULES_MAX);

	memset(h->sum, 0, sizeof(h->sum));
	for (uint32_t i = 0; i < n; i++) {
		if (h->router[i].id >= ENV_ARRAY_SIZE(h->sum))
			continue;
		h->sum[h->router[i].id].packets += h->router[i].packets;
		h->sum[h->router[i].id].bytes += h->router[i].bytes;
	}
}

/* => the records of one set from `number` on; the number that there was no room for, 0: all are there. */
static uint32_t hit_records(struct request *rq, struct vc_page_reply *p, const struct vc_rule_set *rs, uint32_t number,
			    const struct hits *h)
{
	for (; number <= rs->count + (has_rest(rs) ? 1u : 0u); number++) {
		struct vc_rule_rec *r = reply_add(rq->r, sizeof(*r));

		if (!r)
			return number;
		copy_name(r->dom, sizeof(r->dom), rs->dom);
		r->number = number;
		r->hits = h->sum[number];
		p->count++;
	}
	return 0;
}

/* The cursor is the index of the object, and the number below it. */
int see_rules(struct request *rq)
{
	const struct vc_page *q = rq->body;
	const struct config *cf = config_current(rq->c);
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_rule_rec));
	struct hits *h = env_alloc(sizeof(*h));
	uint32_t number = q->cursor & 0xffff ? q->cursor & 0xffff : 1;

	if (!h)
		return control_refuse(rq->err, ENOMEM, "no-memory", "no memory to sum up the rules' counts");
	for (uint64_t i = q->cursor >> 16; i < cf->n; i++) {
		if (cf->v[i]->type != VC_RULE_SET)
			continue;
		const struct vc_rule_set *rs = (const void *)cf->v[i]->body;
		sum_hits(rq->c, rs->dom, h);
		number = hit_records(rq, p, rs, number, h);
		if (number) {
			p->next = i << 16 | number;
			break;
		}
		number = 1;
	}
	env_free(h, sizeof(*h));
	return 0;
}

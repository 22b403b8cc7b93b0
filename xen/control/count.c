/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of the router by domain, and what-if. */
#include <vfr/vfr.h>

#include "internal.h"

/* Losses outside of the router: their reasons are numbered behind the router's. */
#define OTHER_DROPS_MAX 32

static unsigned int other_drops(struct control *c, uint16_t domid, struct vc_drop_rec v[OTHER_DROPS_MAX])
{
	memset(v, 0, OTHER_DROPS_MAX * sizeof(*v));
	return c->p.ops->drops ? c->p.ops->drops(c->p.machine, domid, v, OTHER_DROPS_MAX) : 0;
}

struct pairs {
	unsigned int n;
	struct vc_drop_pair v[2 * (VFR_DROP_COUNT + OTHER_DROPS_MAX)];
};

static void add_pair(struct pairs *p, unsigned int reason, enum vc_rule_dir dir, uint64_t packets)
{
	if (packets)
		p->v[p->n++] = (struct vc_drop_pair){.reason = reason, .dir = dir, .packets = packets};
}

static void fill_pairs(struct pairs *p, const struct vfr_counters *k, const struct vc_drop_rec *other, unsigned int others)
{
	p->n = 0;
	for (unsigned int i = 1; i < VFR_DROP_COUNT; i++) {
		add_pair(p, i, VC_RULE_IN, k->dir[VFR_IN].drop[i]);
		add_pair(p, i, VC_RULE_OUT, k->dir[VFR_OUT].drop[i]);
	}
	for (unsigned int i = 0; i < others; i++) {
		add_pair(p, VFR_DROP_COUNT + i, VC_RULE_IN, other[i].in);
		add_pair(p, VFR_DROP_COUNT + i, VC_RULE_OUT, other[i].out);
	}
}

/* domid 0 stands for what no domain owns. */
static bool stats_record(struct request *rq, uint16_t domid)
{
	struct control *c = rq->c;
	const struct dom *d = domid ? dom_by_id(c, domid) : NULL;
	struct control_dom_info info;
	struct vc_drop_rec other[OTHER_DROPS_MAX];
	struct vfr_counters k;
	struct vc_stats_rec *r;
	struct pairs pairs;

	memset(&k, 0, sizeof(k));
	vfr_counters_read(c->p.vfr, domid ? domid : VFR_NODOM, &k);
	fill_pairs(&pairs, &k, other, other_drops(c, domid, other));
	r = reply_add(rq->r, sizeof(*r) + pairs.n * sizeof(pairs.v[0]));
	if (!r)
		return false;
	copy_name(r->name, sizeof(r->name), d ? d->name : "");
	r->domid = domid;
	r->in = (struct vc_count){k.dir[VFR_IN].packets, k.dir[VFR_IN].bytes};
	r->out = (struct vc_count){k.dir[VFR_OUT].packets, k.dir[VFR_OUT].bytes};
	r->drops = pairs.n;
	memcpy(r + 1, pairs.v, pairs.n * sizeof(pairs.v[0]));
	for (unsigned int i = 0; i < pairs.n; i++)
		(pairs.v[i].dir == VC_RULE_IN ? &r->in_dropped : &r->out_dropped)->packets += pairs.v[i].packets;
	if (d)
		r->slices = d->slices;
	if (d && d->built && !c->p.ops->dom_info(c->p.machine, domid, &info)) {
		r->cpu_ns = info.cpu_ns;
		r->backlog_bytes = info.backlog_bytes;
	}
	return true;
}

int see_stats(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct vc_page_reply *p = reply_add(rq->r, sizeof(*p));

	p->next = VC_CURSOR_END;
	for (uint64_t id = q->cursor; id < rq->c->p.domains_max; id++) {
		if (id && !rq->c->dom[id])
			continue;
		if (!stats_record(rq, id)) {
			p->next = id;
			break;
		}
		p->count++;
	}
	return 0;
}

static void add_drops(struct control *c, uint16_t domid, struct vc_drop_rec *r)
{
	struct vc_drop_rec other[OTHER_DROPS_MAX];
	unsigned int others = other_drops(c, domid, other);
	struct vfr_counters k;

	memset(&k, 0, sizeof(k));
	vfr_counters_read(c->p.vfr, domid ? domid : VFR_NODOM, &k);
	for (unsigned int i = 0; i < VFR_DROP_COUNT; i++) {
		r[i].in += k.dir[VFR_IN].drop[i];
		r[i].out += k.dir[VFR_OUT].drop[i];
	}
	for (unsigned int i = 0; i < others; i++) {
		r[VFR_DROP_COUNT + i].in += other[i].in;
		r[VFR_DROP_COUNT + i].out += other[i].out;
	}
}

int see_drops(struct request *rq)
{
	struct vc_drop_rec other[OTHER_DROPS_MAX];
	struct vc_page_reply *p = reply_add(rq->r, sizeof(*p));
	unsigned int n = VFR_DROP_COUNT + other_drops(rq->c, 0, other);
	struct vc_drop_rec *r = reply_add(rq->r, n * sizeof(*r));

	p->next = VC_CURSOR_END;
	p->record = sizeof(*r);
	p->count = n;
	for (unsigned int i = 0; i < n; i++)
		copy_name(r[i].name, sizeof(r[i].name), i < VFR_DROP_COUNT ? vfr_drop_name(i) : other[i - VFR_DROP_COUNT].name);
	add_drops(rq->c, 0, r);
	for (unsigned int id = 1; id < rq->c->p.domains_max; id++)
		if (rq->c->dom[id])
			add_drops(rq->c, id, r);
	return 0;
}

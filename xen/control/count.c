/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of the router by domain, and what-if. */
#include <vfr/vfr.h>

#include "internal.h"

static void fill_counts(const struct vfr_dir_counters *d, struct vc_count *fwd, struct vc_count *dropped)
{
	fwd->packets = d->packets;
	fwd->bytes = d->bytes;
	for (unsigned int i = 1; i < VFR_DROP_COUNT; i++)
		dropped->packets += d->drop[i];
}

static unsigned int count_pairs(const struct vfr_counters *k)
{
	unsigned int n = 0;

	for (unsigned int dir = 0; dir < 2; dir++)
		for (unsigned int i = 1; i < VFR_DROP_COUNT; i++)
			n += k->dir[dir].drop[i] != 0;
	return n;
}

static void fill_pairs(const struct vfr_counters *k, struct vc_drop_pair *p)
{
	for (unsigned int dir = 0; dir < 2; dir++) {
		for (unsigned int i = 1; i < VFR_DROP_COUNT; i++) {
			if (!k->dir[dir].drop[i])
				continue;
			p->reason = i;
			p->dir = dir == VFR_IN ? VC_RULE_IN : VC_RULE_OUT;
			p->packets = k->dir[dir].drop[i];
			p++;
		}
	}
}

/* domid 0 stands for what no domain owns. */
static bool stats_record(struct request *rq, uint16_t domid)
{
	struct control *c = rq->c;
	const struct dom *d = domid ? dom_by_id(c, domid) : NULL;
	struct control_dom_info info;
	struct vfr_counters k;
	struct vc_stats_rec *r;
	unsigned int pairs;

	memset(&k, 0, sizeof(k));
	vfr_counters_read(c->p.vfr, domid ? domid : VFR_NODOM, &k);
	pairs = count_pairs(&k);
	r = reply_add(rq->r, sizeof(*r) + pairs * sizeof(struct vc_drop_pair));
	if (!r)
		return false;
	copy_name(r->name, sizeof(r->name), d ? d->name : "");
	r->domid = domid;
	r->drops = pairs;
	fill_counts(&k.dir[VFR_IN], &r->in, &r->in_dropped);
	fill_counts(&k.dir[VFR_OUT], &r->out, &r->out_dropped);
	fill_pairs(&k, (void *)(r + 1));
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
	struct vfr_counters k;

	if (vfr_counters_read(c->p.vfr, domid, &k))
		return;
	for (unsigned int i = 0; i < VFR_DROP_COUNT; i++) {
		r[i].in += k.dir[VFR_IN].drop[i];
		r[i].out += k.dir[VFR_OUT].drop[i];
	}
}

int see_drops(struct request *rq)
{
	struct vc_page_reply *p = reply_add(rq->r, sizeof(*p));
	struct vc_drop_rec *r = reply_add(rq->r, VFR_DROP_COUNT * sizeof(*r));

	p->next = VC_CURSOR_END;
	p->record = sizeof(*r);
	p->count = VFR_DROP_COUNT;
	for (unsigned int i = 0; i < VFR_DROP_COUNT; i++)
		copy_name(r[i].name, sizeof(r[i].name), vfr_drop_name(i));
	add_drops(rq->c, VFR_NODOM, r);
	for (unsigned int id = 1; id < rq->c->p.domains_max; id++)
		if (rq->c->dom[id])
			add_drops(rq->c, id, r);
	return 0;
}

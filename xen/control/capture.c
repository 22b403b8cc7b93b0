/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures: one at a time, stopped when nobody reads it. */
#include <control/tap.h>

#include "internal.h"

static int capture_dom(struct request *rq, const char *name, int *domid)
{
	const struct dom *d;
	int rc = check_name(name, VC_NAME, "domain", true, rq->err);

	*domid = -1;
	if (rc || !name[0])
		return rc;
	d = dom_by_name(rq->c, name);
	if (!d)
		return control_refuse(rq->err, ENOENT, "no-domain", "there is no domain %s", name);
	*domid = d->domid;
	return 0;
}

int capture_start(struct request *rq)
{
	const struct vc_capture_start *q = rq->body;
	const struct vc_bpf_insn *prog = (const void *)(q + 1);
	struct control *c = rq->c;
	struct vc_capture_id *r;
	uint32_t id = 0;
	int domid, rc = capture_dom(rq, q->dom, &domid);

	if (rc)
		return rc;
	if (!c->p.ops->capture_start)
		return refuse_enosys(rq->err, "captures");
	if (q->insns > VC_BPF_MAX || rq->n != sizeof(*q) + q->insns * sizeof(*prog) || (q->insns && !bpf_check(prog, q->insns)))
		return control_refuse(rq->err, EINVAL, "bad-filter", "the filter program is not valid");
	if (c->capture_id)
		return control_refuse(rq->err, EBUSY, "capture-open", "another capture is running");
	rc = c->p.ops->capture_start(c->p.machine, domid, q->flags, q->snaplen, prog, q->insns, &id);
	if (rc)
		return control_refuse(rq->err, -rc, "machine", "the capture cannot start (error %d)", -rc);
	c->capture_id = id;
	c->capture_touched_ns = c->now_ns;
	r = reply_add(rq->r, sizeof(*r));
	r->id = id;
	return 0;
}

static int need_capture(struct request *rq, const struct vc_capture_id *q)
{
	if (rq->c->capture_id && q->id == rq->c->capture_id)
		return 0;
	return control_refuse(rq->err, ENOENT, "no-capture", "there is no capture %u (any more)", q->id);
}

int capture_read(struct request *rq)
{
	const struct vc_capture_id *q = rq->body;
	struct control *c = rq->c;
	struct vc_capture_reply *r;
	size_t max = VC_BODY_MAX - sizeof(*r);
	uint32_t count = 0, lost = 0;
	int rc = need_capture(rq, q);

	if (rc)
		return rc;
	c->capture_touched_ns = c->now_ns;
	r = reply_add(rq->r, sizeof(*r));
	if (q->max && q->max < max)
		max = q->max;
	rq->r->len += c->p.ops->capture_read(c->p.machine, q->id, r + 1, max, &count, &lost);
	r->count = count;
	r->lost = lost;
	return 0;
}

int capture_stop(struct request *rq)
{
	int rc = need_capture(rq, rq->body);

	if (rc)
		return rc;
	rq->c->p.ops->capture_stop(rq->c->p.machine, rq->c->capture_id);
	rq->c->capture_id = 0;
	return 0;
}

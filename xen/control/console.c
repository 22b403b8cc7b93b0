/* SPDX-License-Identifier: BSD-2-Clause */
/* Consoles of the domains. */
#include "internal.h"

static int find(struct request *rq, const char *name, struct dom **out)
{
	int rc = check_name(name, VC_NAME, "domain", false, rq->err);

	if (rc)
		return rc;
	*out = dom_by_name(rq->c, name);
	return *out ? 0 : control_refuse(rq->err, ENOENT, "no-domain", "there is no domain %s", name);
}

int console_read(struct request *rq)
{
	const struct vc_console_read *q = rq->body;
	struct control *c = rq->c;
	struct vc_console_read_reply *r;
	struct control_dom_info info = {0};
	size_t max = VC_BODY_MAX - sizeof(*r), n;
	struct dom *d;
	uint64_t start;
	int rc = find(rq, q->name, &d);

	if (rc)
		return rc;
	r = reply_add(rq->r, sizeof(*r));
	start = q->offset;
	if (q->max && q->max < max)
		max = q->max;
	n = c->p.ops->console_read(c->p.machine, d->domid, q->offset, r + 1, max, &start);
	rq->r->len += n;
	r->offset = start;
	r->end = start + n;
	/* An offset that lies ahead of everything written asks for the end. */
	if (d->built && !c->p.ops->dom_info(c->p.machine, d->domid, &info) && (info.console_end > r->end || !n))
		r->end = info.console_end;
	if (r->offset > r->end)
		r->offset = r->end;
	return 0;
}

int console_write(struct request *rq)
{
	const struct vc_console_write *q = rq->body;
	struct vc_console_write_reply *r;
	struct dom *d;
	int rc = find(rq, q->name, &d);

	if (rc)
		return rc;
	if (!d->built)
		return control_refuse(rq->err, EINVAL, "bad-state", "%s is not running", d->name);
	r = reply_add(rq->r, sizeof(*r));
	r->taken = rq->c->p.ops->console_write(rq->c->p.machine, d->domid, q + 1, rq->n - sizeof(*q));
	return 0;
}

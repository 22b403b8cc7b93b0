/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sub-classes of a domain in the network schedulers.
 *
 * A domain's classes come and go with it, and the one for receiving with its rates; a sub-class is of the domain. So it is kept here
 * with the domain (struct dom) and set anew in whatever classes the domain has.
 */
#include "internal.h"

static const struct vc_sub_set *set_of(const struct object *o)
{
	return o ? (const void *)o->body : NULL;
}

int sub_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_sub_set *s = body;
	int rc = check_name(s->dom, sizeof(s->dom), "domain", false, err);

	if (rc)
		return rc;
	if (s->index >= VC_SUBS)
		return control_refuse(err, EINVAL, "bad-value", "sub-class %u of %s: they are 1 to %d, and 0 for the rest", s->index,
				      s->dom, VC_SUBS - 1);
	if (s->weight < 1 || s->weight > 255)
		return control_refuse(err, EINVAL, "bad-value", "sub-class %u of %s has weight %u: it must be 1 to 255", s->index, s->dom,
				      s->weight);
	if (s->index == 0 && s->dscps)
		return control_refuse(err, EINVAL, "bad-value", "sub-class 0 of %s is what no other one takes: it has no DSCPs", s->dom);
	return 0;
}

/* A DSCP leads to one sub-class: which one must not depend on the order in which they were set. */
int sub_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err)
{
	const struct vc_sub_set *s = set_of(o);
	struct vc_sub_set key = *s;
	int rc = ref_dom(c, o, t, err);

	for (key.index = 0; !rc && key.index < VC_SUBS; key.index++) {
		const struct vc_sub_set *other = key.index != s->index ? set_of(config_get(t->to, VC_SUB_SET, &key)) : NULL;
		uint64_t both = other ? other->dscps & s->dscps : 0;

		if (both)
			rc = control_refuse(err, EEXIST, "dscp-taken", "DSCP %d of %s leads to sub-class %u and to sub-class %u",
					    __builtin_ctzll(both), s->dom, other->index, s->index);
	}
	return rc;
}

static int set(struct control *c, const struct dom *d, unsigned int index, const struct object *o, struct control_error *err)
{
	if (!d->built || !c->p.ops->sub_set)
		return 0;
	return c->p.ops->sub_set(c->p.machine, d->domid, index, set_of(o), err);
}

int sub_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	      struct control_error *err)
{
	const struct vc_sub_set *s = set_of(new ? new : old);
	struct dom *d = dom_by_name(c, s->dom);
	struct control_error ignored;
	int rc;

	ENV_ASSERT(d);
	if (new && !c->p.ops->sub_set)
		return refuse_enosys(err, "sub-classes");
	err->code = 0;
	rc = set(c, d, s->index, new, err);
	if (!rc || !new) {
		d->sub[s->index] = new;
		return 0;
	}
	set(c, d, s->index, old, &ignored);
	return err->code ? rc : control_refuse(err, -rc, "sub-class", "sub-class %u of %s is refused (error %d)", s->index, d->name, -rc);
}

void subs_renew(struct control *c, const struct dom *d)
{
	struct control_error err;

	for (unsigned int i = 0; c->p.ops->sub_set && i < VC_SUBS; i++)
		if (d->sub[i] && c->p.ops->sub_set(c->p.machine, d->domid, i, set_of(d->sub[i]), &err))
			env_log(ENV_ERROR, "control: sub-class %u of %s is not in force: %s", i, d->name, err.text);
}

/* => the sub-classes of one domain on one link; false: no room. */
static bool add_records(struct request *rq, struct vc_page_reply *p, unsigned int link, uint16_t domid, unsigned int *index, int *rc)
{
	struct control *c = rq->c;

	for (*rc = 0; *index < VC_SUBS && *rc != -ENODEV; (*index)++) {
		struct vc_sub_rec rec, *r;

		memset(&rec, 0, sizeof(rec));
		*rc = c->p.ops->sub_info(c->p.machine, link, domid, *index, &rec);
		if (*rc)
			continue;
		r = reply_add(rq->r, sizeof(*r));
		if (!r)
			return false;
		*r = rec;
		copy_name(r->dom, sizeof(r->dom), c->dom[domid]->name);
		p->count++;
	}
	*index = 0;
	return true;
}

/* The cursor is the link, below it the domain, below that the index. */
int see_subs(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct control *c = rq->c;
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_sub_rec));
	unsigned int index = q->cursor & 0xff;
	uint64_t id = q->cursor >> 8 & 0xffff;
	int rc = 0;

	for (uint64_t link = q->cursor >> 24; c->p.ops->sub_info && link < 1000 && rc != -ENODEV; link++, id = 0) {
		for (id = id ? id : 1; id < c->p.domains_max && rc != -ENODEV; id++) {
			if (c->dom[id] && !add_records(rq, p, link, id, &index, &rc)) {
				p->next = link << 24 | id << 8 | index;
				return 0;
			}
		}
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates and limits of a domain, scheduler policies, disks. */
#include <vfr/vfr.h>

#include "internal.h"

static_assert(VC_EGRESS_MAX == VFR_EGRESS_DENY_MAX, "one list");

int rate_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_rate_set *r = body;
	int rc = check_name(r->dom, sizeof(r->dom), "domain", false, err);

	if (!rc)
		rc = check_zero(&r->reserved, sizeof(r->reserved), err);
	if (rc)
		return rc;
	if (r->flags & ~(VC_RATE_IPID_BLOCK | VC_RATE_MULTICAST))
		return control_refuse(err, EINVAL, "bad-value", "unknown flags 0x%x of the limits of %s", r->flags, r->dom);
	if (r->egress_set > 1 || r->egress_count > VC_EGRESS_MAX)
		return control_refuse(err, EINVAL, "bad-value", "the list of forbidden ports of %s is too long", r->dom);
	if ((r->out_bps && r->out_guarantee_bps > r->out_bps) || (r->in_bps && r->in_guarantee_bps > r->in_bps))
		return control_refuse(err, EINVAL, "bad-rate", "%s is guaranteed more than its ceiling", r->dom);
	for (unsigned int i = 0; i < r->egress_count; i++)
		if (r->egress[i].first > r->egress[i].last || r->egress[i].reserved)
			return control_refuse(err, EINVAL, "bad-port-set", "a forbidden range of %s is backwards", r->dom);
	return 0;
}

static int router_limits(struct control *c, struct dom *d, const struct vc_rate_set *r)
{
	struct vfr_domain_cfg cfg;

	vfr_domain_defaults(&cfg);
	cfg.nat_addr = d->nat_addr;
	cfg.new_flows_per_s = r->new_flows;
	cfg.max_conns = r->max_conns;
	cfg.ipid_block = r->flags & VC_RATE_IPID_BLOCK;
	cfg.allow_multicast = r->flags & VC_RATE_MULTICAST;
	if (r->egress_set) {
		cfg.egress_denies = r->egress_count;
		for (unsigned int i = 0; i < r->egress_count; i++)
			cfg.egress_deny[i] = (struct vfr_egress_deny){r->egress[i].proto, r->egress[i].first, r->egress[i].last};
	}
	return vfr_domain_set(c->p.vfr, d->domid, &cfg);
}

static const struct vc_rate_set none;

static int machine_rates(struct control *c, const struct dom *d, const struct object *o, struct control_error *err)
{
	return c->p.ops->rate_set(c->p.machine, d->domid, o ? (const void *)o->body : &none, err);
}

/* What was in force before is again. */
static void rates_back(struct control *c, const struct dom *d, const struct object *old)
{
	struct control_error ignored;

	machine_rates(c, d, old, &ignored);
	if (d->built)
		subs_renew(c, d);
}

/* A machine that refuses may have set some of its links before: they go back too. */
int rate_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	       struct control_error *err)
{
	const struct vc_rate_set *r = new ? (const void *)new->body : &none;
	struct dom *d = dom_by_name(c, (const char *)(new ? new : old)->body);
	int rc;

	ENV_ASSERT(d);
	err->code = 0;
	if (c->p.ops->rate_set) {
		rc = machine_rates(c, d, new, err);
		if (rc && new) {
			rates_back(c, d, old);
			return err->code ? rc : control_refuse(err, -rc, "rate", "the rates of %s are refused (error %d)", d->name, -rc);
		}
	} else if (r->out_bps || r->in_bps || r->out_guarantee_bps || r->in_guarantee_bps || r->out_pps || r->in_pps) {
		return refuse_enosys(err, "rates of a domain");
	}
	rc = router_limits(c, d, r);
	if (!rc || !new) {
		d->rate = new;
		if (d->built)
			subs_renew(c, d);
		return 0;
	}
	if (c->p.ops->rate_set)
		rates_back(c, d, old);
	return control_refuse(err, -rc, "router", "the router refuses the limits of %s (error %d)", d->name, -rc);
}

int sched_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_sched_set *s = body;
	int rc = check_name(s->target, sizeof(s->target), "target", true, err);

	if (!rc)
		rc = check_name(s->policy, sizeof(s->policy), "policy", false, err);
	if (!rc)
		rc = check_zero(s->reserved, sizeof(s->reserved), err);
	if (rc)
		return rc;
	if (s->kind >= VC_SCHED_KINDS)
		return control_refuse(err, EINVAL, "bad-value", "unknown kind of scheduler %u", s->kind);
	return 0;
}

/* Removing the object leaves the policy that runs: which one was the machine's own choice is not known here. */
int sched_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
		struct control_error *err)
{
	int rc;

	if (!new)
		return 0;
	if (!c->p.ops->sched_set)
		return refuse_enosys(err, "choice of a scheduler");
	err->code = 0;
	rc = c->p.ops->sched_set(c->p.machine, (const void *)new->body, err);
	if (rc && !err->code)
		return control_refuse(err, -rc, "scheduler", "the policy is refused (error %d)", -rc);
	return rc;
}

int disk_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_disk_set *d = body;
	int rc = check_name(d->dom, sizeof(d->dom), "domain", false, err);

	return rc ? rc : check_name(d->volume, sizeof(d->volume), "volume", false, err);
}

int disk_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	       struct control_error *err)
{
	return new ? refuse_enosys(err, "disks") : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry of policies, and what can be read of an instance and its classes. */
#include <sched/net/internal.h>

#include <errno.h>
#include <string.h>

static const struct netsched_ops *const policies[] = { &netsched_rr, &netsched_tbf, &netsched_drr, &netsched_hfq };

static const char *const verdict_names[NETSCHED_VERDICTS] = {
	[NETSCHED_OK] = "ok",
	[NETSCHED_STOP] = "stop",
	[NETSCHED_NO_CLASS] = "sched-no-class",
	[NETSCHED_OVERSIZE] = "sched-oversize",
	[NETSCHED_FULL] = "sched-full",
	[NETSCHED_CODEL] = "sched-codel",
	[NETSCHED_GONE] = "sched-gone",
	[NETSCHED_NEW_FLOWS] = "sched-new-flows",
};

const char *netsched_verdict_name(enum netsched_verdict v)
{
	return (unsigned int)v < NETSCHED_VERDICTS ? verdict_names[v] : "?";
}

const struct netsched_ops *netsched_nth(unsigned int i)
{
	return i < ENV_ARRAY_SIZE(policies) ? policies[i] : NULL;
}

const struct netsched_ops *netsched_find(const char *name)
{
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(policies); i++)
		if (!strcmp(policies[i]->name, name))
			return policies[i];
	return NULL;
}

const char *netsched_name(const struct netsched_ops *ops)
{
	return ops->name;
}

const struct netsched_ops *netsched_policy(const struct netsched *ns)
{
	return ns->ops;
}

const struct netsched_link *netsched_link(const struct netsched *ns)
{
	return &ns->link;
}

/* Of the last full window; of the time since, if that is longer (a class that fell silent is slow). */
static uint64_t rate_of(const struct netsched_class *c, uint64_t now)
{
	uint64_t bytes = c->aside->rate_bytes, ns = c->aside->rate_ns;

	if (now - c->window_start > ns) {
		bytes = c->sent_bytes - c->aside->window_bytes;
		ns = now - c->window_start;
	}
	return ns ? bytes * 8000000 / (ns / 1000 + 1) : 0;
}

int netsched_stats_read(struct netsched *ns, uint32_t id, uint64_t now, bool reset, struct netsched_stats *out)
{
	if (!netsched_is_live(ns, id))
		return -ENOENT;
	struct netsched_class *c = &ns->classes[id];
	*out = (struct netsched_stats) {
		.backlog_packets = c->packets,
		.backlog_bytes = c->bytes,
		.stopped = c->state & CLASS_STOPPED,
		.capped = c->state & CLASS_CAPPED,
		.sent_packets = c->sent_packets,
		.sent_bytes = c->sent_bytes,
		.marks = c->aside->marks,
		.stops = c->aside->stops,
		.rate_bps = rate_of(c, now),
		.guarantee_bps = c->p.guarantee_bps,
		.guaranteed = ns->ops->flags & NETSCHED_HAS_GUARANTEE,
		.delay_ns = c->delay_ns,
		.delay_max_ns = c->delay_max_ns,
	};
	memcpy(out->drops, c->aside->drops, sizeof(out->drops));
	if (ns->ops->stats)
		ns->ops->stats(ns, c, reset, out);
	if (reset)
		c->delay_max_ns = 0;
	return 0;
}

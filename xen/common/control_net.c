/* SPDX-License-Identifier: BSD-2-Clause */
/* Control's network: what an uplink is and does, a domain's class on the uplinks, which scheduler policy runs where. */
#include "control_net.h"

#include <errno.h>
#include <string.h>

#include <hv/cpu.h>
#include <hv/log.h>
#include <hv/timer.h>
#include <net/net.h>
#include <sched/cpu/cpusched.h>

#include "sched.h"

static void copy(char *to, size_t size, const char *from)
{
	memcpy(to, from, strnlen(from, size - 1));
}

int machine_uplink_info(void *machine, unsigned int index, struct control_uplink_info *out)
{
	struct net_uplink_info u;
	int ret = net_uplink_read(index, &u);

	if (ret)
		return ret;
	*out = (struct control_uplink_info){
		.mtu = u.mtu, .up = u.up, .port = u.port, .rate_bps = u.rate_bps,
		.rx = { u.dir[VFR_IN].packets, u.dir[VFR_IN].bytes }, .tx = { u.dir[VFR_OUT].packets, u.dir[VFR_OUT].bytes },
	};
	memcpy(out->mac, u.mac, sizeof(out->mac));
	copy(out->name, sizeof(out->name), u.name);
	copy(out->driver, sizeof(out->driver), u.driver);
	return 0;
}

/* Rates towards the domain: without any it receives directly. */
static int set_inbound(uint16_t domid, const struct vc_rate_set *r, struct netsched_refusal *why)
{
	struct netsched_params p = {
		.guarantee_bps = r->in_guarantee_bps, .ceiling_bps = r->in_bps, .burst_bytes = r->in_burst,
		.weight = r->weight ? r->weight : NET_WEIGHT_DEFAULT, .pps = r->in_pps,
	};

	if (r->in_bps || r->in_guarantee_bps || r->in_pps)
		return net_guests_class_set(domid, &p, why);
	net_guests_class_del(domid);
	return 0;
}

/* New flows are limited by the router. */
int machine_rate_set(void *machine, uint16_t domid, const struct vc_rate_set *r, struct control_error *err)
{
	struct netsched_params p = {
		.guarantee_bps = r->out_guarantee_bps, .ceiling_bps = r->out_bps, .burst_bytes = r->out_burst,
		.weight = r->weight ? r->weight : NET_WEIGHT_DEFAULT, .pps = r->out_pps,
	};
	struct netsched_refusal why = { 0 };
	int ret = net_class_set(domid, &p, &why);

	if (!ret)
		ret = set_inbound(domid, r, &why);
	return ret ? control_refuse(err, -ret, "rate", "'%s': %s", r->dom, why.text[0] ? why.text : "no memory for its class") : 0;
}

int machine_class_info(void *machine, unsigned int link, uint16_t domid, struct vc_class_rec *out)
{
	struct net_class_info c;
	int ret = net_class_read(link, domid, &c);

	if (ret)
		return ret;
	copy(out->link, sizeof(out->link), c.link);
	copy(out->policy, sizeof(out->policy), c.policy);
	out->domid = domid;
	out->dir = c.dir == VFR_IN ? VC_RULE_IN : VC_RULE_OUT;
	out->flags = (c.stats.stopped ? VC_CLASS_STOPPED : 0) | (c.stats.capped ? VC_CLASS_CAPPED : 0) |
		     (c.stats.guaranteed ? VC_CLASS_GUARANTEED : 0);
	out->weight = c.params.weight;
	out->guarantee_bps = c.params.guarantee_bps;
	out->ceiling_bps = c.params.ceiling_bps;
	out->rate_bps = c.stats.rate_bps;
	out->sent = (struct vc_count){ c.stats.sent_packets, c.stats.sent_bytes };
	out->backlog = (struct vc_count){ c.stats.backlog_packets, c.stats.backlog_bytes };
	for (unsigned i = 0; i < NETSCHED_VERDICTS; i++)
		out->drops += c.stats.drops[i];
	out->marks = c.stats.marks;
	out->stops = c.stats.stops;
	out->delay_ns = c.stats.delay_ns;
	out->delay_max_ns = c.stats.delay_max_ns;
	out->late_max_ns = c.stats.late_max_ns;
	out->bound_ns = c.stats.bound_ns;
	return 0;
}

int machine_sub_set(void *machine, uint16_t domid, unsigned int index, const struct vc_sub_set *set, struct control_error *err)
{
	struct netsched_sub sub;
	struct netsched_refusal why = { 0 };
	int ret;

	if (set)
		sub = (struct netsched_sub){ .weight = set->weight, .dscp_set = set->dscps };
	ret = net_sub_set(domid, index, set ? &sub : NULL, &why);
	return ret ? control_refuse(err, -ret, "sub-class", "'%s': %s", set ? set->dom : "", why.text) : 0;
}

int machine_sub_info(void *machine, unsigned int link, uint16_t domid, unsigned int index, struct vc_sub_rec *out)
{
	struct net_sub_info s;
	int ret = net_sub_read(link, domid, index, &s);

	if (ret)
		return ret;
	copy(out->link, sizeof(out->link), s.link);
	out->domid = domid;
	out->dir = s.dir == VFR_IN ? VC_RULE_IN : VC_RULE_OUT;
	out->index = (uint8_t)index;
	out->weight = s.sub.weight;
	out->dscps = s.sub.dscp_set;
	out->sent = (struct vc_count){ s.stats.sent_packets, s.stats.sent_bytes };
	out->backlog = (struct vc_count){ s.stats.backlog_packets, s.stats.backlog_bytes };
	out->drops = s.stats.drops;
	out->marks = s.stats.marks;
	return 0;
}

unsigned int machine_drops(void *machine, uint16_t domid, struct vc_drop_rec *out, unsigned int max)
{
	struct net_drops d;
	unsigned n = 0;

	net_drops_read(domid, &d);
	for (unsigned i = 1; i < NET_DROP_COUNT && n < max; i++, n++) {
		copy(out[n].name, sizeof(out[n].name), net_drop_name(i));
		out[n].in = d.dir[VFR_IN][i];
		out[n].out = d.dir[VFR_OUT][i];
	}
	return n;
}

static int find_uplink(const char *name)
{
	struct net_uplink_info u;

	for (unsigned i = 0; !net_uplink_read(i, &u); i++)
		if (!strcmp(u.name, name))
			return (int)i;
	return -ENOENT;
}

/* What the line of uplink `i` carries, of the side towards the guests if that is negative; 0: it is not paced. */
static uint64_t line_rate(int i)
{
	struct net_uplink_info u = { .paced = false };

	if (i < 0)
		net_guests_policy_name(&u.rate_bps, &u.paced);
	else
		net_uplink_read((unsigned)i, &u);
	return u.paced ? u.rate_bps : 0;
}

static int set_line_rate(int i, uint64_t bps, struct netsched_refusal *why)
{
	return i < 0 ? net_guests_rate(bps, why) : net_uplink_rate((unsigned)i, bps, why);
}

/* The rate comes first: it is what may be refused, and can be taken back. */
static int set_net(const struct vc_sched_set *set, struct control_error *err)
{
	struct netsched_refusal why = { 0 };
	int i = find_uplink(set->target);

	if (i < 0 && strcmp(set->target, NET_GUESTS))
		return control_refuse(err, ENOENT, "no-uplink", "there is no uplink '%s'", set->target);
	if (set->policy[0] && !netsched_find(set->policy))
		return control_refuse(err, ENOENT, "no-policy", "'%s' has no scheduler policy '%s'", set->target, set->policy);
	uint64_t before = line_rate(i);
	if (set_line_rate(i, set->rate_bps, &why))
		return control_refuse(err, ERANGE, "rate", "'%s': %s", set->target, why.text);
	if (!set->policy[0] || !(i < 0 ? net_guests_policy(set->policy) : net_uplink_policy((unsigned)i, set->policy)))
		return 0;
	set_line_rate(i, before, NULL);
	return control_refuse(err, ENOMEM, "no-memory", "'%s': no memory for scheduler policy '%s'", set->target, set->policy);
}

static int set_cpu(const struct vc_sched_set *set, struct control_error *err)
{
	if (cpusched_switch(the_cpusched, set->policy, time_now_ns()))
		return control_refuse(err, ENOENT, "no-policy", "there is no cpu scheduler '%s'", set->policy);
	log_info("sched: cpu scheduler is now %s", set->policy);
	return 0;
}

int machine_sched_set(void *machine, const struct vc_sched_set *set, struct control_error *err)
{
	switch (set->kind) {
	case VC_SCHED_CPU:
		return set_cpu(set, err);
	case VC_SCHED_NET:
		return set_net(set, err);
	}
	return control_refuse(err, ENOSYS, "no-such-scheduler", "there are schedulers for cpu and net");
}

static void add_choice(struct vc_sched_rec *rec, const char *name)
{
	size_t n = strnlen(rec->choices, sizeof(rec->choices));

	if (n + strlen(name) + 2 > sizeof(rec->choices))
		return;
	if (n)
		rec->choices[n++] = ' ';
	memcpy(rec->choices + n, name, strlen(name));
}

int machine_sched_info(void *machine, unsigned int index, struct vc_sched_rec *out)
{
	struct net_uplink_info u;

	if (index == 0) {
		out->kind = VC_SCHED_CPU;
		copy(out->policy, sizeof(out->policy), cpusched_policy(the_cpusched));
		for (unsigned i = 0; cpusched_policy_name(i); i++)
			add_choice(out, cpusched_policy_name(i));
		return 0;
	}
	out->kind = VC_SCHED_NET;
	if (!net_uplink_read(index - 1, &u)) {
		copy(out->target, sizeof(out->target), u.name);
		copy(out->policy, sizeof(out->policy), u.policy);
	} else if (index == 1 || !net_uplink_read(index - 2, &u)) {
		copy(out->target, sizeof(out->target), NET_GUESTS);
		copy(out->policy, sizeof(out->policy), net_guests_policy_name(&u.rate_bps, &u.paced));
	} else {
		return -ENOENT;
	}
	out->rate_bps = u.rate_bps;
	out->flags = u.paced ? VC_SCHED_PACED : 0;
	for (unsigned i = 0; netsched_nth(i); i++)
		add_choice(out, netsched_name(netsched_nth(i)));
	return 0;
}

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

int machine_rate_set(void *machine, uint16_t domid, const struct vc_rate_set *r, struct control_error *err)
{
	struct netsched_params p = {
		.guarantee_bps = r->out_guarantee_bps, .ceiling_bps = r->out_bps, .burst_bytes = r->out_burst,
		.weight = r->weight, .pps = r->out_pps,
	};
	struct netsched_refusal why = { 0 };
	int ret;

	if (r->in_bps || r->in_guarantee_bps || r->in_pps)
		return control_refuse(err, ENOSYS, "rate-in", "'%s': rates toward a domain are not offered; set out rates", r->dom);
	ret = net_class_set(domid, &p, &why);
	return ret ? control_refuse(err, -ret, "rate", "'%s': %s", r->dom, why.text[0] ? why.text : "no memory for its class") : 0;
}

static int find_uplink(const char *name)
{
	struct net_uplink_info u;

	for (unsigned i = 0; !net_uplink_read(i, &u); i++)
		if (!strcmp(u.name, name))
			return (int)i;
	return -ENOENT;
}

static int set_net(const struct vc_sched_set *set, struct control_error *err)
{
	struct netsched_refusal why = { 0 };
	int i = find_uplink(set->target), ret;

	if (i < 0)
		return control_refuse(err, ENOENT, "no-uplink", "there is no uplink '%s'", set->target);
	ret = set->policy[0] ? net_uplink_policy((unsigned)i, set->policy) : 0;
	if (ret)
		return control_refuse(err, -ret, "no-policy", "uplink '%s' has no scheduler policy '%s'", set->target, set->policy);
	if (set->rate_bps && net_uplink_rate((unsigned)i, set->rate_bps, &why))
		return control_refuse(err, ERANGE, "rate", "uplink '%s': %s", set->target, why.text);
	return 0;
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
	if (net_uplink_read(index - 1, &u))
		return -ENOENT;
	out->kind = VC_SCHED_NET;
	copy(out->target, sizeof(out->target), u.name);
	copy(out->policy, sizeof(out->policy), u.policy);
	for (unsigned i = 0; netsched_nth(i); i++)
		add_choice(out, netsched_name(netsched_nth(i)));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates and sub-classes of the simulated domains, and figures as a scheduler has them: no packet passes here, so a class sends what it is
 * guaranteed and marks a packet each ms, that tools have something to show.
 */
#include <errno.h>
#include <string.h>

#include "sim.h"

/* As in the machine: the way out is set first, and stays so when the way in is refused. */
int sim_rate_set(void *machine, uint16_t domid, const struct vc_rate_set *rate, struct control_error *err)
{
	if (rate->out_guarantee_bps > 1000000000)
		return control_refuse(err, EDQUOT, "over-committed", "%s is guaranteed %llu bit/s, but the line carries 1000000000",
				      rate->dom, (unsigned long long)rate->out_guarantee_bps);
	((struct sim *)machine)->dom[domid].rate = *rate;
	if (rate->in_guarantee_bps > 10000000000)
		return control_refuse(err, EDQUOT, "over-committed", "%s is guaranteed %llu bit/s inbound, but there are 10000000000",
				      rate->dom, (unsigned long long)rate->in_guarantee_bps);
	return 0;
}

/* As in the machine: each domain has a class on the uplink, towards the guests those that were given something there. */
int sim_class_info(void *machine, unsigned int link, uint16_t domid, struct vc_class_rec *out)
{
	const struct sim *s = machine;
	const struct vc_rate_set *r = &s->dom[domid].rate;

	if (link > 1)
		return -ENODEV;
	if (!s->dom[domid].used || (link && !r->in_bps && !r->in_guarantee_bps && !r->in_pps))
		return -ENOENT;
	strcpy(out->link, link ? "guests" : SIM_UPLINK);
	strcpy(out->policy, "hfq");
	out->domid = domid;
	out->dir = link ? VC_RULE_IN : VC_RULE_OUT;
	out->flags = VC_CLASS_GUARANTEED;
	out->weight = r->weight ? r->weight : 100;
	out->guarantee_bps = link ? r->in_guarantee_bps : r->out_guarantee_bps;
	out->ceiling_bps = link ? r->in_bps : r->out_bps;
	out->rate_bps = out->guarantee_bps;
	out->backlog = (struct vc_count){2, 3000};
	out->marks = sim_now() / 1000000;
	return 0;
}

int sim_sub_set(void *machine, uint16_t domid, unsigned int index, const struct vc_sub_set *set, struct control_error *err)
{
	struct vc_sub_set *own = &((struct sim *)machine)->dom[domid].sub[index];

	if (set)
		*own = *set;
	else
		memset(own, 0, sizeof(*own));
	return 0;
}

int sim_sub_info(void *machine, unsigned int link, uint16_t domid, unsigned int index, struct vc_sub_rec *out)
{
	const struct vc_sub_set *own = &((struct sim *)machine)->dom[domid].sub[index];

	if (link)
		return -ENODEV;
	if (!own->weight)
		return -ENOENT;
	strcpy(out->link, SIM_UPLINK);
	out->domid = domid;
	out->dir = VC_RULE_OUT;
	out->index = index;
	out->weight = own->weight;
	out->dscps = own->dscps;
	return 0;
}

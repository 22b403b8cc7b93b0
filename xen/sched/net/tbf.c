/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tbf: round robin under ceilings. Each class has its token buckets (rate and burst, packets per second), which the common part
 * keeps; among the classes that have tokens, one packet each in turn. For links that only need to be rationed.
 */
#include <sched/net/rr.h>

const struct netsched_ops netsched_tbf = {
	.name = "tbf",
	.title = "token bucket for each domain, round robin among those with tokens",
	.flags = NETSCHED_HAS_CEILING,
	.size = sizeof(struct rr),
	.class_size = sizeof(struct rr_class),
	.wake = netsched_rr_wake,
	.sleep = netsched_rr_sleep,
	.pick = netsched_rr_pick,
	.sent = netsched_rr_sent,
};

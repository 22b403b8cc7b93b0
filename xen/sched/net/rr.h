/* SPDX-License-Identifier: BSD-2-Clause */
/* Round robin's operations, for policies that differ from it in what the common part does for them. */
#ifndef SCHED_NET_RR_H
#define SCHED_NET_RR_H

#include <sched/net/policy.h>
#include <sched/net/ring.h>

struct rr {
	struct ring ring;
};

struct rr_class {
	struct ring_node node;
	struct netsched_class *class;
};

void netsched_rr_wake(struct netsched *ns, struct netsched_class *c, uint64_t now);
void netsched_rr_sleep(struct netsched *ns, struct netsched_class *c);
struct netsched_class *netsched_rr_pick(struct netsched *ns, uint64_t now);
void netsched_rr_sent(struct netsched *ns, struct netsched_class *c, uint32_t bytes, bool runnable);

#endif

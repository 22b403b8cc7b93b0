/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network scheduling policy is: a choice among the classes that may send.
 *
 * Everything else is common to all policies and lies in netsched.c and beside it: the queues, their limits and
 * backpressure, ceilings and packet rates (a class that has used up its tokens is not runnable until they are back),
 * admission, statistics. So a policy keeps one thing: the order among the runnable classes. It is told when a class
 * becomes runnable (wake), when it ceases to be outside of its own doing (sleep), and what it sent (sent). A policy owns
 * one private block an instance and one a class, both zeroed, of the sizes it names; it allocates nothing.
 *
 * A class that is the only runnable one is sent from without asking the policy; wake() comes when there is a second one.
 * Packet lengths are not known before a packet is taken: CoDel may drop the head. So a class is charged afterwards.
 */
#ifndef SCHED_NET_POLICY_H
#define SCHED_NET_POLICY_H

#include <sched/net/bucket.h>
#include <sched/net/fairq.h>
#include <sched/net/netsched.h>
#include <sched/net/wheel.h>

struct netsched_class;

/* What of a class's parameters the policy honours; ceilings and packet rates are then enforced by the common part. */
enum {
	NETSCHED_HAS_WEIGHT = 1,
	NETSCHED_HAS_GUARANTEE = 2,
	NETSCHED_HAS_CEILING = 4,
	NETSCHED_HAS_FLOWS = 8,		/* the class's queue is FQ-CoDel with sub-classes; else first in, first out */
};

struct netsched_ops {
	const char *name;
	const char *title;
	unsigned int flags;
	size_t size;			/* the policy's private block of an instance */
	size_t class_size;		/* and of each class */

	/* The blocks are zeroed, no class is known yet. Optional. */
	void (*init)(struct netsched *ns, uint64_t now);
	/* The link's rate changed. Optional. */
	void (*link_set)(struct netsched *ns);
	/* A class is new, or its parameters changed, perhaps while it is runnable. Optional. */
	void (*class_set)(struct netsched *ns, struct netsched_class *c);
	/* The class goes; it is not runnable. Optional. */
	void (*class_del)(struct netsched *ns, struct netsched_class *c);
	/* The class was not runnable and is now. */
	void (*wake)(struct netsched *ns, struct netsched_class *c, uint64_t now);
	/* The class was runnable and no longer is. */
	void (*sleep)(struct netsched *ns, struct netsched_class *c);
	/* Which runnable class sends next; there is one. sent() for it follows at once. */
	struct netsched_class *(*pick)(struct netsched *ns, uint64_t now);
	/* The picked class sent one packet of `bytes`; it stays runnable, or not (then no sleep() follows). */
	void (*sent)(struct netsched *ns, struct netsched_class *c, uint32_t bytes, bool runnable);
	/* Fill in what the policy alone knows. Optional. */
	void (*stats)(struct netsched *ns, struct netsched_class *c, bool reset, struct netsched_stats *out);
};

/* The sub-classes of a class that was divided. */
struct netsched_subs {
	struct netsched_sub set[NETSCHED_SUBS];	/* weight 0: none */
	struct netsched_sub_stats count[NETSCHED_SUBS]; /* but for the backlogs */
};

enum netsched_class_state {
	CLASS_LIVE = 1,		/* the id is in use */
	CLASS_RUNNABLE = 2,	/* has packets, has tokens: the policy knows it */
	CLASS_CAPPED = 4,	/* has packets, no tokens: on the wheel */
	CLASS_STOPPED = 8,	/* its ring was told to stop */
	CLASS_PACED = 16,	/* has a ceiling or packet rate that the policy in force honours */
	CLASS_DIVIDED = 32,	/* has sub-classes */
	CLASS_FLOWS = 64,	/* its queue is `fair` */
};

/* What few packets of a class need: a line of its limits of rate; then what is set, read and counted now and then. */
struct netsched_aside {
	struct bucket ceiling, pps;
	struct wheel_node park;
	struct netsched_class *class;
	struct netsched *ns;
	struct bucket new_flows;
	uint64_t window_bytes;		/* sent_bytes when the rate window that runs began */
	uint64_t rate_bytes, rate_ns;	/* the last full rate window */
	struct netsched_params asked;	/* before defaults, which follow the link */
	struct netsched_subs *subs;	/* NULL: all packets are of one */
	uint64_t marks, stops;
	uint64_t drops[NETSCHED_VERDICTS];
} __attribute__((aligned(ENV_CACHE_LINE)));

/* By cache line: what an enqueue needs; what counts a departure; the head of the flow queues; what is set and read now and then. */
struct netsched_class {
	/* The whole queue of a FIFO class. Of a fair one, the only packet while there is just one, else empty. */
	struct netsched_queue q;
	void *priv;			/* the policy's */
	struct netsched_aside *aside;
	uint32_t packets, bytes;	/* the backlog */
	uint32_t id;
	uint32_t state;
	uint32_t stop_bytes, limit_bytes, limit_packets;
	uint32_t max_packet;

	uint64_t sent_packets __attribute__((aligned(ENV_CACHE_LINE)));
	uint64_t sent_bytes;
	uint64_t window_start;		/* of the rate window that runs */
	uint64_t delay_ns, delay_max_ns;
	const struct netsched_queue *lead;	/* where the next packet to leave stands, as far as is known */
	uint32_t target_ns, interval_ns;	/* CoDel's */
	struct fair fair;		/* CLASS_FLOWS; behind its first word the third line begins */

	struct netsched_params p;
} __attribute__((aligned(ENV_CACHE_LINE)));

struct netsched {
	const struct netsched_ops *ops;
	void *priv;			/* the policy's */
	struct netsched_class *classes;	/* by id */
	struct netsched_aside *asides;	/* by id */
	uint8_t *class_priv;		/* by id, class_stride bytes each */
	size_t class_stride;
	uint32_t backlog;
	uint32_t live;
	uint32_t runnable;
	struct netsched_class *sole;	/* the only runnable class, unknown to the policy; or NULL */
	struct bucket pace;
	struct wheel wheel;
	uint64_t now;			/* of the call that runs */
	uint64_t guarantees;		/* sum of guarantee_bps */
	uint64_t weights;		/* sum of weight */
	struct netsched_link link;
	struct netsched_host host;
};

/* For policies: the class with this id exists. */
static inline bool netsched_is_live(const struct netsched *ns, uint32_t id)
{
	return id < ns->link.max_classes && (ns->classes[id].state & CLASS_LIVE);
}

extern const struct netsched_ops netsched_rr, netsched_tbf, netsched_drr, netsched_hfq;

#endif
